//! Tokens that wait until it is certain what they are.

use super::tokens::Token;

/// From so many taken tokens on their room is given back.
const TAKEN_MAX: usize = 64;

/// Tokens in a row, taken from its front. Most that are put in between stand
/// near its end.
#[derive(Debug, Default)]
pub(super) struct Queue {
    tokens: Vec<Token>,
    /// How many were taken that are still in the row.
    taken: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.tokens.len() - self.taken
    }

    pub(super) fn front(&self) -> Option<&Token> {
        self.tokens.get(self.taken)
    }

    /// Returns the last token that is still in the row.
    pub(super) fn back(&self) -> Option<&Token> {
        self.waiting().last()
    }

    /// Returns the tokens that wait.
    pub(super) fn waiting(&self) -> &[Token] {
        &self.tokens[self.taken..]
    }

    pub(super) fn push(&mut self, token: Token) {
        self.tokens.push(token);
    }

    /// Takes the last token back.
    pub(super) fn pop(&mut self) -> Option<Token> {
        self.back()?;
        self.tokens.pop()
    }

    /// Puts a token before the one of an index.
    pub(super) fn insert(&mut self, index: usize, token: Token) {
        let index = self.taken + index.min(self.len());
        self.tokens.insert(index, token);
    }

    /// Takes the first token.
    pub(super) fn take(&mut self) -> Option<Token> {
        let token = *self.front()?;
        self.taken += 1;
        if self.taken == self.tokens.len() {
            self.tokens.clear();
            self.taken = 0;
        } else if self.taken >= TAKEN_MAX && self.taken * 2 >= self.tokens.len() {
            self.tokens.drain(..self.taken);
            self.taken = 0;
        }
        Some(token)
    }
}
