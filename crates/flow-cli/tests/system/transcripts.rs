//! The transcripts in `tests/cli`: what is typed, what is answered, and the
//! exit code.

use std::path::Path;

#[test]
fn the_command_line_answers_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli");
    trycmd::TestCases::new()
        .case(root.join("*.trycmd").display().to_string())
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .run();
}
