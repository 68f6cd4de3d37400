//! The codes of what can be wrong with a project, its `flow.toml` and its files,
//! and with what tests do.

flow_syntax::codes! {
    SETTINGS_SYNTAX = Error "settings-syntax", "`flow.toml` is not TOML";
    UNKNOWN_SETTING = Error "unknown-setting", "`flow.toml` has a key that means nothing";
    WRONG_SETTING = Error "wrong-setting", "a setting of `flow.toml` has a value that doesn't fit";
    MISSING_FIXTURE = Error "missing-fixture", "a fixture of a test can't be read";
    EXPECTATION = Error "expectation", "an expectation of a test doesn't hold";
    UNEXPECTED_END = Error "unexpected-end", "a run of a test doesn't end well, and nothing says that it shouldn't";
    MISSING_STUB = Error "missing-stub", "a test calls a step that reaches the outside, and no stub answers for it";
    WRONG_STUB = Error "wrong-stub", "a stub's answer isn't what a call gives";
    TEST_VALUE = Error "test-value", "something that a test gives has no value";
    ENDLESS_RUN = Error "endless-run", "a run of a test goes on for too long";
    IDLE_STUB = Warning "idle-stub", "a stub answers no call of any run";
    MISSING_PROGRAM = Warning "missing-program", "the project doesn't have what the command of a declared step names";
    UNREADABLE_FILE = Error "unreadable-file", "a file can't be read as a text";
}
