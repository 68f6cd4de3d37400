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

    // statements
    NAME_TAKEN = Error "name-taken", "a name is bound twice where both can be seen";
    CYCLE = Error "cycle", "steps need each other in a circle";
    ORDER = Error "order", "an act needs what comes of a later one";
    UNNAMED_ACTS = Error "unnamed-acts", "two acts of one block have the same name";
    UNUSED = Warning "unused", "nothing uses a name";
    UNUSED_ANSWER = Error "unused-answer", "a person is asked and nobody looks at the answer";
    VALUE_UNUSED = Error "value-unused", "a value has no name and can't be used";
    NO_VALUE = Error "no-value", "something gives no value where one is needed";
    RESULT_WORD = Error "result-word", "`yield` and `return` are mixed up";
    BRANCHES_DIFFER = Error "branches-differ", "branches give different types, or only some give a value";
    UNBOUNDED = Error "unbounded", "a loop that costs or acts has no upper bound";
    COUNT = Error "count", "a number of items, rounds or attempts is less than 1";
    RACE = Error "race", "a race has something that can't race";
    PATTERN = Error "pattern", "a pattern can't fit the value that is matched";
    UNKNOWN_VARIANT = Error "unknown-variant", "an enum has no such value";
    UNREACHABLE = Error "unreachable", "an arm of a match is never taken";
    NOT_EXHAUSTIVE = Error "not-exhaustive", "a match has no arm for some values";

    // calls
    UNKNOWN_ARGUMENT = Error "unknown-argument", "a step or workflow has no such parameter";
    MISSING_ARGUMENT = Error "missing-argument", "a parameter that has no default is not given";
    ARGUMENT_TWICE = Error "argument-twice", "a parameter is given twice";
    UNNAMED_ARGUMENT = Error "unnamed-argument", "an argument that is not the first has no name";
    TYPE_ARGUMENT = Error "type-argument", "a type parameter is missing, or given where there is none";
    CONST_HOLE = Error "const-hole", "a value stands in a text that must be written out";
    NO_DEFAULT = Error "no-default", "the project sets no default that a call relies on";
    RECURSION = Error "recursion", "workflows call each other in a circle";
    CLAUSE = Error "clause", "a policy or a limit has no meaning in its place";
    UNKNOWN_WORD = Error "unknown-word", "a word is none of those that are possible here";
    RETRY = Error "retry", "a failure is to be tried again that must not be";
    RANGE = Error "range", "a duration or a range of pauses is empty";
    AFTER = Error "after", "`after` names something that is no step";
    EFFECT = Error "effect", "a call asks for an effect that its step does not have";

    // plans
    UNPRICED = Error "unpriced", "a call under a budget has no known price";
    OVER_BUDGET = Warning "over-budget", "the worst case costs more than the budget";
    PLAN_TOO_LARGE = Error "plan-too-large", "the plans of a file have more than a million nodes";

    // expressions
    LITERAL = Error "literal", "a number, an amount or a word is not what is wanted";
    OPTIONAL_UNHANDLED = Error "optional-unhandled", "a value that may be missing is used as if it were there";
    NO_TRUTHINESS = Error "no-truthiness", "a condition is no bool";
    NEEDLESS_CHECK = Warning "needless-check", "a value that is always there is asked whether it is";
    NEVER_MISSING = Error "never-missing", "a value that is always there is given a substitute";
    TYPE_UNKNOWN = Error "type-unknown", "nothing says what type `none` or `[]` has";
    NESTED_CALL = Error "nested-call", "a step or a workflow is called inside an expression";
    ARGUMENTS = Error "arguments", "a library function is given other arguments than it takes";
    ENUM_AMBIGUOUS = Error "enum-ambiguous", "a name is a value of an enum and a binding";
    MISSING_FIELD = Error "missing-field", "a record lacks a field";
    REPEATED_FIELD = Error "repeated-field", "a record has a field twice";
    HOLE_TYPE = Error "hole-type", "a value in a hole can't be written into a text";
    BRACE_IN_TEXT = Warning "brace-in-text", "a name in braces without `$` is only letters";
    SECRET_USE = Error "secret-use", "a secret is used where it could be seen";
    NOT_CONSTANT = Error "not-constant", "a text must be known before anything runs";
    MISPLACED_FIXTURE = Error "misplaced-fixture", "a fixture is used outside of a test";
    ALWAYS_FAILS = Error "always-fails", "an expression can't have a value";
    TEMPLATE_SYNTAX = Error "template-syntax", "a template can't be read at this place";
    TEMPLATE_UNSUPPORTED = Error "template-unsupported", "a template uses a part of minijinja that is not supported";
    TEMPLATE_NAME = Error "template-name", "a name stands for nothing in a template";
    TEMPLATE_FILTER = Error "template-filter", "a template uses an unknown filter or test";
    TEMPLATE_TYPE = Error "template-type", "a value in a template has the wrong type for its place";
    TEMPLATE_MISSING = Error "template-missing", "a value in a template may be missing";
    TEMPLATE_EMIT = Error "template-emit", "a value in a template can't be written";
    TEMPLATE_INCLUDE = Error "template-include", "a template includes nothing, itself or too much";

    // triggers
    TRIGGER_WHEN = Error "trigger-when", "nothing makes a trigger fire, or what does can't be read";
    TRIGGER_CLAUSE = Error "trigger-clause", "a clause of a trigger is repeated or fits no other";
    TRIGGER_LOOP = Error "trigger-loop", "a trigger starts itself again and again";
    BAD_CRON = Error "bad-cron", "a cron pattern can't be read or never fires";
    BAD_TIME_ZONE = Error "bad-time-zone", "there is no time zone of this name";
    RUNS_WORKFLOW = Error "runs-workflow", "something that runs a workflow of this file names something else";

    // tests
    EXPECTS_NOTHING = Warning "expects-nothing", "a test expects nothing";
    BAD_PLACE = Error "bad-place", "the place of a stub is no part of a path";
}
