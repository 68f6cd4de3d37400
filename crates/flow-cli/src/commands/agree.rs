//! Agreeing with what becomes of a run: it is shown, and if something that was
//! paid for or done would be lost or repeated, somebody has to say so.

use std::io::{BufRead, IsTerminal};

use flow_core::digest::Digest;
use flow_core::edit::Sheet;
use flow_runtime::driver::ChangeError;

use crate::args::{Agreement, DataFormat};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::sheet;

/// What was said to a sheet.
pub(super) enum Answer {
    /// Go on, as it is written there.
    Agreed(Digest),
    /// Nothing is done.
    Over(Exit),
}

/// Shows a sheet, and asks what has to be asked.
pub(super) fn agree(
    sheet: &Sheet,
    title: &str,
    agreement: &Agreement,
    format: DataFormat,
    output: &mut Output,
) -> Result<Answer, Failure> {
    if agreement.dry_run && format == DataFormat::Json {
        output.data(&format!("{}\n", sheet::json(sheet)))?;
    } else {
        let looks = output.message_looks();
        output.message(&sheet::text(sheet, title, looks))?;
    }
    if agreement.dry_run {
        return Ok(Answer::Over(Exit::Done));
    }
    if sheet.repeats_acts() && !agreement.accept_effects {
        let message = "acts that have happened may be done again";
        return Err(Failure::usage(message)
            .with_help("if they are meant to be, say `--accept-effects`; nothing was changed"));
    }
    let digest = sheet.digest();
    if agreement.yes || !sheet.has_to_be_agreed_with() {
        return Ok(Answer::Agreed(digest));
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let message = "something that was paid for or done is not taken over";
        return Err(Failure::usage(message)
            .with_help("look at what is shown above, and say `--yes`; nothing was changed"));
    }
    output.message("go on? [y/N]")?;
    let mut answer = String::new();
    // Whoever can't be heard hasn't agreed.
    std::io::stdin().lock().read_line(&mut answer).ok();
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(Answer::Agreed(digest));
    }
    output.message("nothing was changed")?;
    Ok(Answer::Over(Exit::Usage))
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Begin(error) => error.into(),
            ChangeError::Moved { .. } => {
                Self::usage(error.to_string()).with_help("look at it again; nothing was changed")
            }
            ChangeError::Unplaced(why) => {
                let wanted = why.place.to_string();
                let known = why.known.iter().map(String::as_str);
                let near = flow_syntax::diagnostic::nearest(&wanted, known);
                let failure = Self::usage(why.to_string());
                match near {
                    Some(near) => failure.with_help(format!("did you mean `{near}`?")),
                    None => failure,
                }
            }
            ChangeError::Inputs(faults) => {
                use flow_core::edit::InputFault;
                let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
                let help = faults.first().map(|fault| match fault {
                    InputFault::Missing { name, .. } | InputFault::Unfit { name, .. } => {
                        format!("write `{name}=…`; nothing was changed")
                    }
                    InputFault::Kept { name } => {
                        format!("`flow rerun RUN --set {name}=…` begins another run with it")
                    }
                    InputFault::Unknown { .. } | InputFault::Default { .. } => {
                        "nothing was changed".to_owned()
                    }
                });
                Self::usage(said.join("\n  and ")).with_help(help.unwrap_or_default())
            }
        }
    }
}
