//! Checks files of the flow language and lowers them to plans.
