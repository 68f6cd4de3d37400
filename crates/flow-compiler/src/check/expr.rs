//! Expressions: names, operators, literals and library functions.
