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

    // declarations
    DUPLICATE_NAME = Error "duplicate-name", "a name is declared twice";
    NAME_STYLE = Error "name-style", "a name begins with the wrong kind of letter";
    TYPE_ARGUMENTS = Error "type-arguments", "a type is given more or fewer types than it takes";
    OPTIONAL_TWICE = Error "optional-twice", "a type is optional already";
    RECURSIVE_TYPE = Error "recursive-type", "a type contains itself";
    TYPE_TOO_LARGE = Error "type-too-large", "a type has too many parts or is nested too deeply";
    BAD_REFINEMENT = Error "bad-refinement", "a refinement does not fit the type before it";
    EMPTY_RANGE = Error "empty-range", "no value can meet what a type asks for";
    BAD_PATTERN = Error "bad-pattern", "a text after `matching` is no regular expression";
    MISPLACED_TYPE = Error "misplaced-type", "a type can't be used in this place";
    FIELD_DEFAULT = Error "field-default", "a field of a record type has a default";
    MISPLACED_CONST = Error "misplaced-const", "`const` stands where there is no parameter";
    BAD_DEFAULT = Error "bad-default", "a default is not a value that is known beforehand";
    BAD_PATH = Error "bad-path", "a path does not name a file of the project";
    MISSING_FILE = Error "missing-file", "a file can't be read";
    USE_CYCLE = Error "use-cycle", "files use each other in a circle";
    TOO_MANY_FILES = Error "too-many-files", "more files are used than a compilation may have";
    UNUSED_USE = Warning "unused-use", "nothing of a used file is used";
    MISPLACED_ITEM = Error "misplaced-item", "a declaration stands in a file that can't hold it";
    BAD_EFFECT = Error "bad-effect", "the effect of a declared step can't be what is written";
    BAD_RUN = Error "bad-run", "the command of a declared step is missing or has no place here";
    BAD_COST = Error "bad-cost", "the cost or the pool of a declared step can't be what is written";
    MISSING_COST = Error "missing-cost", "a paid step says nothing of its cost";
}
