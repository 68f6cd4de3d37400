//! The codes of what can be wrong with a text before any name is looked up.
//!
//! The checker has its own, in `flow_compiler::codes`.

crate::codes! {
    // Both spellings.
    SYNTAX = Error "syntax", "the text can't be read at this place";
    FILE_TOO_LARGE = Error "file-too-large", "a file is larger than 16 MiB";
    TOO_DEEP = Error "too-deep", "brackets, blocks or operators are nested too deeply";

    // workflow language
    STRAY_CHARACTER = Error "stray-character", "a character can't stand outside of a text";
    OPEN_TEXT = Error "open-text", "a text has no closing quote";
    OPEN_HOLE = Error "open-hole", "a `${` in a text has no `}`";
    BAD_ESCAPE = Error "bad-escape", "a backslash in a text stands before a letter without a meaning";
    TEXT_INDENTATION = Error "text-indentation", "a line of a text stands further left than its closing quotes";
    UNEXPECTED_HOLE = Error "unexpected-hole", "a text that is read before anything runs has a `${…}`";
    TEMPLATE_BRACES = Warning "template-braces", "`{{ name }}` in a text is only letters";
    UNCLOSED = Error "unclosed", "a bracket has no partner";
    CHAINED_COMPARISON = Error "chained-comparison", "comparisons don't chain";
    SAID_TWICE = Error "said-twice", "a setting is written twice";
    USELESS_EXPRESSION = Error "useless-expression", "a statement is a value that nothing uses";
    YIELD_NOT_LAST = Error "yield-not-last", "something stands behind the value of a block";
    EARLY_RETURN = Error "early-return", "`return` stands elsewhere than at the end of a workflow";
    MISPLACED_ELSE = Error "misplaced-else", "`else` after `}` takes a block or `if`";
    MISPLACED_CLAUSE = Error "misplaced-clause", "a policy stands where it governs nothing";
    MISSING_COMMA = Error "missing-comma", "two elements have no comma between them";
    MISSING_YIELD = Error "missing-yield", "a block holds values where it needs `yield`";
    EQUALS = Error "equals", "`=` and `==` or `:` are mixed up";
    FOREIGN_OPERATOR = Error "foreign-operator", "an operator of another language";
    FOREIGN_WORD = Error "foreign-word", "a word of another language";
    FOREIGN_COMMENT = Error "foreign-comment", "a comment of another language";
    NULL_LITERAL = Error "null-literal", "a missing value is written `none`";
    TERNARY = Error "ternary", "a choice is written `if a then b else c`";
    TEMPLATE_EXPRESSION = Error "template-expression", "`{{ … }}` or `${…}` stands outside of a text";
    JSONPATH = Error "jsonpath", "a path such as `$.output` names nothing";
    KEYWORD_AS_NAME = Error "keyword-as-name", "a word of the language is used as a name";
    RESERVED_WORD = Error "reserved-word", "a word is kept for later";
    FOREIGN_BINDING = Error "foreign-binding", "`let`, `const` and `var` are not needed";
    FOREIGN_TEXT = Error "foreign-text", "a text of another language";
    SEMICOLON = Error "semicolon", "statements have no `;`";
    BAD_NUMBER = Error "bad-number", "a number, duration or amount is written in another way";
    BAD_NAME = Error "bad-name", "a name has a letter that names can't have";
    CLAUSE_OPERAND = Error "clause-operand", "a policy takes one value, or one in parentheses";

    // YAML
    YAML_SYNTAX = Error "yaml-syntax", "the YAML can't be read at this place";
    YAML_QUOTE = Error "yaml-quote", "a value must be quoted to be one text in YAML";
    YAML_TAB = Error "yaml-tab", "a tab indents a line of YAML";
    YAML_TAG = Error "yaml-tag", "a YAML tag, which the language doesn't have";
    YAML_ANCHOR = Error "yaml-anchor", "a YAML anchor, alias or merge key, which the language doesn't have";
    YAML_DIRECTIVE = Error "yaml-directive", "a YAML directive, which the language doesn't have";
    YAML_DOCUMENT = Error "yaml-document", "a second YAML document in one file";
    YAML_UNCLOSED_HOLE = Error "yaml-unclosed-hole", "a `${` that is never closed";
    DUPLICATE_KEY = Error "duplicate-key", "a mapping has a key twice";
    UNKNOWN_KEY = Error "unknown-key", "a mapping has a key that means nothing there";
    MISSING_KEY = Error "missing-key", "a mapping lacks a key that it needs";
    MISSING_VALUE = Error "missing-value", "nothing is written where a value must be";
    WRONG_SHAPE = Error "wrong-shape", "a list, a mapping or a text stands where something else must";
    TWO_KINDS = Error "two-kinds", "an item says twice what it is";
}
