//! Clauses of calls and limits of heads, in both spellings: YAML writes the
//! same words behind the same keys.

use super::flow_expr::{Flow, line};
use super::flow_type::effect;
use crate::ast::{Cache, Clause, ClauseKind, Expr, Name};

/// Returns the expression of a clause.
pub(super) fn operand(kind: &ClauseKind) -> Option<&Expr> {
    match kind {
        ClauseKind::Budget { amount: expr, .. } | ClauseKind::Retry { attempts: expr, .. } => {
            Some(expr)
        }
        ClauseKind::Within(expr) | ClauseKind::Timeout(expr) | ClauseKind::Label(expr) => {
            Some(expr)
        }
        ClauseKind::Assume(expr) | ClauseKind::Cache(Cache::For(expr)) => Some(expr),
        ClauseKind::Cache(Cache::On | Cache::Off) | ClauseKind::Pool(_) => None,
        ClauseKind::After(_) | ClauseKind::Effect(_) | ClauseKind::OnLost(_) => None,
    }
}

/// Returns what stands behind a clause's word, for a YAML scalar.
pub(super) fn inline(kind: &ClauseKind) -> String {
    line(|flow| flow.clause_operand(kind))
}

/// Returns words with commas between them.
pub(super) fn words(words: &[Name]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(", ")
}

impl<'a> Flow<'a> {
    /// Writes a clause.
    pub(super) fn clause(&mut self, clause: &'a Clause) {
        self.doc.text(clause.kind.keyword());
        self.doc.text(" ");
        self.clause_operand(&clause.kind);
    }

    fn clause_operand(&mut self, kind: &'a ClauseKind) {
        match kind {
            ClauseKind::Budget { amount, per, or } => {
                self.atom(amount);
                for (word, name) in [(" per ", per), (" or ", or)] {
                    if let Some(name) = name {
                        self.doc.text(word);
                        self.doc.text(name.text.as_str());
                    }
                }
            }
            ClauseKind::Retry {
                attempts,
                backoff,
                on,
            } => {
                self.atom(attempts);
                if let Some((first, longest)) = backoff {
                    self.doc
                        .text(format!(" backoff {}..{}", first.text, longest.text));
                }
                if !on.is_empty() {
                    self.doc.text(format!(" on {}", words(on)));
                }
            }
            ClauseKind::Within(expr)
            | ClauseKind::Timeout(expr)
            | ClauseKind::Label(expr)
            | ClauseKind::Assume(expr)
            | ClauseKind::Cache(Cache::For(expr)) => self.atom(expr),
            ClauseKind::Cache(Cache::On) => self.doc.text("on"),
            ClauseKind::Cache(Cache::Off) => self.doc.text("off"),
            ClauseKind::Pool(path) => self.doc.text(path.text.as_str()),
            ClauseKind::After(names) => self.doc.text(words(names)),
            ClauseKind::Effect(what) => self.doc.text(effect(what)),
            ClauseKind::OnLost(word) => self.doc.text(word.text.as_str()),
        }
    }
}
