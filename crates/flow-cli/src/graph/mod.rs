//! Drawings of plans: text for other tools, and pictures of our own.
//!
//! Modules, in reading order: text for Mermaid and Graphviz; then the picture:
//! how wide text is, how a block is put into layers, in which order each layer
//! stands, where everything goes, and how it is written down.

mod dot;
mod mermaid;

mod layer;
mod order;
mod place;
mod spread;
mod svg;
mod text;

use flow_compiler::CompiledWorkflow;

use crate::outline::Part;

pub(crate) use dot::dot;
pub(crate) use mermaid::mermaid;
pub(crate) use svg::svg;

/// What is drawn.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    /// The workflow's name and what it gives.
    pub(crate) title: String,
    /// What it is for, one line.
    pub(crate) about: String,
    /// Its inputs, as they are declared.
    pub(crate) inputs: Vec<String>,
    /// Its parts.
    pub(crate) outline: &'a Part,
}

impl<'a> Picture<'a> {
    /// Takes what is drawn of a workflow.
    pub(crate) fn of(workflow: &CompiledWorkflow, outline: &'a Part) -> Self {
        let returns = workflow.returns.as_ref();
        let returns = returns.map_or_else(String::new, |ty| format!(" → {ty}"));
        let inputs = workflow.params.iter().map(|param| match &param.ty {
            Some(ty) => format!("{}: {ty}", param.name),
            None => param.name.to_string(),
        });
        Self {
            title: format!("{}{returns}", workflow.name),
            about: workflow.docs.lines().next().unwrap_or_default().to_owned(),
            inputs: inputs.collect(),
            outline,
        }
    }
}

/// The word of an effect that colours and legends go by.
fn effect_word(effect: flow_core::effect::Effect) -> &'static str {
    use flow_core::effect::Effect;
    match effect {
        Effect::Pure => "pure",
        Effect::Read => "read",
        Effect::Paid => "paid",
        Effect::Act(_) => "act",
    }
}
