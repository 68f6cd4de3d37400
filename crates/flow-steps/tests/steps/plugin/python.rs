//! A program in Python, as people write them. Without Python these say so, and
//! try nothing.

use std::sync::Arc;

use flow_core::effect::Effect;
use flow_core::step::StepCall;
use flow_core::value::Value;

use super::{Project, failure, it};
use crate::desk::{FakeDesk, value};

const PROGRAM: &str = r#"
import json
import sys

from words import loud

request = json.load(sys.stdin)


def say(**line):
    print(json.dumps(line), flush=True)


say(progress=0.5, message="half")
text = request["arguments"]["text"]
if text == "break":
    raise ValueError("größe: broken")
say(result=loud(text))
"#;

/// Returns whether there is a Python, and says so if there is none.
fn is_there() -> bool {
    let found = std::process::Command::new("python3")
        .arg("--version")
        .output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        let mut stderr = std::io::stderr();
        std::io::Write::write_all(&mut stderr, b"there is no python3: nothing was tried\n")
            .unwrap();
    }
    is_there
}

async fn ran(text: &str) -> flow_core::step::StepReport {
    let project = Project::new("");
    project.write("steps/it/main.py", PROGRAM);
    project.write(
        "steps/it/words.py",
        "def loud(text):\n    return text.upper() + \"!\"\n",
    );
    let desk = Arc::new(FakeDesk::new());
    let mut call = StepCall {
        run: Some("python3 steps/it/main.py".into()),
        ..it(&desk, Effect::Read)
    };
    call.args.insert("text".into(), Value::text(text));
    project.report(&desk, call).await
}

#[tokio::test]
async fn a_program_of_several_files_answers() {
    if is_there() {
        assert_eq!(value(ran("größe").await).unwrap(), Value::text("GRÖSSE!"));
    }
}

#[tokio::test]
async fn the_end_of_a_traceback_is_told() {
    if is_there() {
        let failed = failure(ran("break").await);
        assert!(
            failed
                .message
                .starts_with("`my.it` ended with exit code 1 and without an answer: Traceback"),
            "{}",
            failed.message
        );
        assert!(
            failed.message.ends_with("ValueError: größe: broken"),
            "{}",
            failed.message
        );
    }
}
