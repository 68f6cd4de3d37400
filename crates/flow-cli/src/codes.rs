//! The codes of what can be wrong with a project: its `flow.toml`, its files.

flow_syntax::codes! {
    SETTINGS_SYNTAX = Error "settings-syntax", "`flow.toml` is not TOML";
    UNKNOWN_SETTING = Error "unknown-setting", "`flow.toml` has a key that means nothing";
    WRONG_SETTING = Error "wrong-setting", "a setting of `flow.toml` has a value that doesn't fit";
    MISSING_PROGRAM = Warning "missing-program", "the project doesn't have what the command of a declared step names";
    UNREADABLE_FILE = Error "unreadable-file", "a file can't be read as a text";
}
