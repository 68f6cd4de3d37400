//! The command of a declared step, `run "…"`: the words that it is made of.
//!
//! No shell reads it. Words are separated by blanks; what stands in `'…'` or
//! `"…"` is held together, and no other letter means anything. Words of the form
//! `NAME=…` before the program are variables of its environment; `NAME=$OTHER`
//! hands over one of those that flow itself has. Whoever wants more asks for a
//! shell: `run "sh -c '…'"`.

use std::str::CharIndices;
use std::sync::Arc;

use crate::literal::excerpt;

/// A command, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The variables that it sets, in their order.
    pub variables: Vec<(Arc<str>, Setting)>,
    /// The program: a path in the project if there is a `/` in it, else a name
    /// that is looked up.
    pub program: Arc<str>,
    /// Its arguments.
    pub arguments: Vec<Arc<str>>,
}

/// What a variable is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A text.
    Text(Arc<str>),
    /// What flow itself has under this name, if it has anything.
    Taken(Arc<str>),
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandFault {
    /// There is nothing in it.
    #[error("the command is empty")]
    Empty,
    /// There are variables and nothing else.
    #[error("the command sets variables and names no program")]
    NoProgram,
    /// A quotation mark has no second one.
    #[error("the `{0}` in the command isn't closed")]
    Open(char),
    /// Something only means what was meant where a shell reads it.
    #[error("no shell reads a command, so `{0}` means nothing in it")]
    Sign(Box<str>),
    /// The program is somewhere on the machine.
    #[error("`{0}` is not in the project")]
    Absolute(Box<str>),
    /// The program is outside of the project.
    #[error("`{0}` leads out of the project")]
    Outside(Box<str>),
}

impl CommandFault {
    /// Returns what to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Empty | Self::NoProgram => {
                "name a program: a path inside the project, or a word that is found in PATH"
            }
            Self::Open(_) => {
                "quotation marks hold words together; use the other kind for one that is meant"
            }
            Self::Sign(_) => {
                "ask for a shell, `run \"sh -c '…'\"`, or put it into quotation marks if it is meant as it is"
            }
            Self::Absolute(_) => {
                "name a program of the machine without its folder; it is found in PATH"
            }
            Self::Outside(_) => "its path begins in the project's folder",
        }
    }
}

/// Reads a command.
pub fn read(text: &str) -> Result<CommandLine, CommandFault> {
    let words = words(text)?;
    if words.is_empty() {
        return Err(CommandFault::Empty);
    }
    let mut words = words.into_iter().peekable();
    let mut variables = Vec::new();
    while let Some((name, setting)) = words.peek().and_then(Word::variable) {
        variables.push((name, setting));
        words.next();
    }
    let program = words.next().ok_or(CommandFault::NoProgram)?;
    check_program(&program.text)?;
    let all = std::iter::once(program).chain(words);
    let mut all = all.map(|word| match word.sign() {
        Some(sign) => Err(CommandFault::Sign(excerpt(sign))),
        None => Ok(Arc::from(word.text)),
    });
    let program = all.next().unwrap_or(Err(CommandFault::NoProgram))?;
    Ok(CommandLine {
        variables,
        program,
        arguments: all.collect::<Result<_, _>>()?,
    })
}

fn check_program(program: &str) -> Result<(), CommandFault> {
    if program.is_empty() {
        return Err(CommandFault::NoProgram);
    }
    if program.starts_with('/') {
        return Err(CommandFault::Absolute(excerpt(program)));
    }
    if program.split('/').any(|part| part == "..") {
        return Err(CommandFault::Outside(excerpt(program)));
    }
    Ok(())
}

/// A word of a command.
struct Word {
    text: String,
    /// How much of it stands before the first quotation mark.
    plain: usize,
}

impl Word {
    /// Returns the part that stands outside of quotation marks, if that is all
    /// of it or the beginning.
    fn unquoted(&self) -> &str {
        self.text.get(..self.plain).unwrap_or_default()
    }

    fn variable(&self) -> Option<(Arc<str>, Setting)> {
        let (name, _) = self.unquoted().split_once('=')?;
        if !is_name(name) {
            return None;
        }
        let value = &self.text[name.len() + 1..];
        let is_plain = self.plain == self.text.len();
        let taken = value.strip_prefix('$').filter(|_| is_plain);
        let setting = match taken.filter(|other| is_name(other)) {
            Some(other) => Setting::Taken(other.into()),
            None => Setting::Text(value.into()),
        };
        Some((name.into(), setting))
    }

    /// Returns what somebody wrote for a shell.
    fn sign(&self) -> Option<&str> {
        const SIGNS: [&str; 12] = [
            "|", "||", "|&", "&", "&&", ";", "<", "<<", ">", ">>", "2>", "2>&1",
        ];
        let plain = self.unquoted();
        let is_whole = plain.len() == self.text.len();
        let is_sign = is_whole && SIGNS.contains(&plain);
        let begins = plain.starts_with("~/") || plain.starts_with("$(") || plain.starts_with('`');
        let is_variable = plain.strip_prefix('$').is_some_and(|rest| {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        });
        let ends = is_whole && plain.len() > 1 && plain.ends_with(';');
        if ends {
            return Some(";");
        }
        (is_sign || begins || is_variable).then_some(&self.text)
    }
}

/// Returns whether a text can be the name of a variable.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn words(text: &str) -> Result<Vec<Word>, CommandFault> {
    let mut words = Vec::new();
    let mut rest = text.char_indices();
    while let Some(word) = word(&mut rest)? {
        words.push(word);
    }
    Ok(words)
}

/// Reads up to the end of the next word.
fn word(rest: &mut CharIndices<'_>) -> Result<Option<Word>, CommandFault> {
    let mut text = String::new();
    let mut plain = None;
    while let Some((_, letter)) = rest.next() {
        match letter {
            '\'' | '"' => {
                plain.get_or_insert(text.len());
                loop {
                    match rest.next() {
                        None => return Err(CommandFault::Open(letter)),
                        Some((_, end)) if end == letter => break,
                        Some((_, inner)) => text.push(inner),
                    }
                }
            }
            blank if blank.is_whitespace() => {
                if plain.is_some() || !text.is_empty() {
                    break;
                }
            }
            other => text.push(other),
        }
    }
    if plain.is_none() && text.is_empty() {
        return Ok(None);
    }
    let plain = plain.unwrap_or(text.len());
    Ok(Some(Word { text, plain }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match read(text) {
            Ok(line) => {
                let mut parts: Vec<String> = Vec::new();
                for (name, setting) in &line.variables {
                    parts.push(match setting {
                        Setting::Text(text) => format!("{name}={text}"),
                        Setting::Taken(other) => format!("{name} from {other}"),
                    });
                }
                parts.push(line.program.to_string());
                parts.extend(line.arguments.iter().map(ToString::to_string));
                parts.join("|")
            }
            Err(fault) => format!("! {fault}"),
        }
    }

    #[test]
    fn blanks_separate_and_quotation_marks_hold_together() {
        for (text, expected) in [
            ("./steps/translate", "./steps/translate"),
            ("  python3\tsteps/a.py\n -x ", "python3|steps/a.py|-x"),
            (
                "sh -c 'echo \"$HOME\"; ls | wc'",
                "sh|-c|echo \"$HOME\"; ls | wc",
            ),
            ("p a'b c'\"d e\"f ''", "p|ab cd ef|"),
            (r"p a\b \n", r"p|a\b|\n"),
            ("p --a=$b x;y a$ größe", "p|--a=$b|x;y|a$|größe"),
            ("p '|' \">\" '$HOME' '~/x'", "p|||>|$HOME|~/x"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn variables_stand_before_the_program() {
        for (text, expected) in [
            ("A=1 B= C='x y' p D=4", "A=1|B=|C=x y|p|D=4"),
            ("HF_HOME=$HF_HOME p", "HF_HOME from HF_HOME|p"),
            ("A='$B' p", "A=$B|p"),
            ("A=$B/c p", "A=$B/c|p"),
            ("1A=x p", "1A=x|p"),
            ("'A'=x p", "A=x|p"),
            ("A=1", "! the command sets variables and names no program"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_command_says_why() {
        for (text, expected) in [
            ("", "! the command is empty"),
            (" \n ", "! the command is empty"),
            ("''", "! the command sets variables and names no program"),
            ("p 'a", "! the `'` in the command isn't closed"),
            ("p \"a", "! the `\"` in the command isn't closed"),
            ("/bin/sh", "! `/bin/sh` is not in the project"),
            ("../x/y", "! `../x/y` leads out of the project"),
            ("a/../../y", "! `a/../../y` leads out of the project"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
        for sign in ["|", "&&", ">", "2>&1", "$HOME", "${X}", "$(date)", "~/x"] {
            let expected = format!("! no shell reads a command, so `{sign}` means nothing in it");
            assert_eq!(told(&format!("p a {sign} b")), expected);
        }
        let expected = "! no shell reads a command, so `;` means nothing in it";
        assert_eq!(told("cd; ls"), expected);
        assert_eq!(told("cd steps; ls"), expected);
    }
}
