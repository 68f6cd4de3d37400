//! `flow graph`: a drawing of a workflow.

use std::fs;

use crate::args::{Graph, GraphFormat};
use crate::commands::target::Target;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::graph::{Picture, dot, mermaid, svg};
use crate::outline::Part;
use crate::output::Output;
use crate::render::human;

/// Draws a workflow.
pub(super) fn run(args: &Graph, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let target = Target::load(&args.target, args.settled.profile.as_deref(), extra)?;
    if !target.compiled.is_ok() {
        let said = human(&target.report, output.message_looks());
        output.message(&format!("{said}{}", target.report.summary()))?;
        return Ok(Exit::Invalid);
    }
    let workflow = target.workflow()?;
    let Some(plan) = &workflow.plan else {
        return Ok(Exit::Invalid);
    };
    let outline = Part::of(plan);
    let picture = Picture::of(workflow, &outline);
    let text = match args.format {
        GraphFormat::Mermaid => mermaid(&picture),
        GraphFormat::Dot => dot(&picture),
        GraphFormat::Svg => svg(&picture),
    };
    match &args.output {
        None => output.data(&text)?,
        Some(path) => fs::write(path, text)
            .map_err(|error| Failure::io(format!("cannot write `{}`: {error}", path.display())))?,
    }
    Ok(Exit::Done)
}
