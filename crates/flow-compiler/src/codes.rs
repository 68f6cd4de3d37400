//! The codes of what can be wrong with a file once its text can be read.
//!
//! The text's own are in `flow_syntax::codes`.

flow_syntax::codes! {
    UNKNOWN_NAME = Error "unknown-name", "a name stands for nothing here";
    UNKNOWN_STEP = Error "unknown-step", "there is no step or workflow of this name";
    UNKNOWN_TYPE = Error "unknown-type", "there is no type of this name";
    UNKNOWN_FIELD = Error "unknown-field", "the record or artifact has no such field";
    UNKNOWN_FUNCTION = Error "unknown-function", "there is no library function of this name";
    TYPE_MISMATCH = Error "type-mismatch", "a value of another type is expected";
}
