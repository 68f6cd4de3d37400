//! A workflow's body, and the order in which workflows are checked.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use flow_core::expr::Expr;
use flow_core::plan::{Input, NodeId, NodeKind, Policies, Workflow};
use flow_core::ty::Type;
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};
use flow_syntax::span::{Span, Spelling};

use super::block::{Gives, Made, Order};
use super::graph::{circles, complete, topological};
use super::mentions::{self, Mention};
use super::region::parent;
use super::{Binding, Checker};
use crate::codes;
use crate::declare::{FileId, ParamDefault, Program, WorkflowFacts, WorkflowId};

impl Checker<'_> {
    fn report_no_return(&mut self, name: &str, returns: Span) {
        let message = format!("`{name}` says it gives something, and has no `return`");
        let diagnostic = Self::error(codes::NO_VALUE, returns, message);
        self.report(diagnostic.help(match self.spelling() {
            Spelling::Flow => "end it with `return …`, or remove the `->` and its type",
            Spelling::Yaml => "add `return:` with its value, or remove `outputs:`",
        }));
    }

    /// Checks the body of a workflow. What was made of it is in `body`.
    pub(crate) fn workflow(&mut self, id: WorkflowId) -> WorkflowFacts {
        let world = self.world;
        let head = &world.program.workflows[id.0];
        let tree = head.tree;
        let root = self.reserve(tree.name.text.as_str().into(), None, tree.name.span);
        self.enter(root);
        let limits = self.limits(&tree.limits);
        self.scopes.push();
        for (at, param) in (0..).zip(&head.params) {
            self.scopes.bind(
                &param.name,
                Binding {
                    expr: Expr::Arg(root, at),
                    ty: param.ty.clone(),
                    empty: false,
                    span: param.span,
                    used: param.name.starts_with('_'),
                },
            );
        }
        let wanted = head.returns.as_ref();
        let checked = self.block(&tree.body, &parent(root, None), Order::Written, wanted);
        if let (Some(returns), Gives::Nothing) = (&tree.returns, &checked.gives) {
            self.report_no_return(&tree.name.text, returns.span);
        }
        self.leave_inputs();
        let made = Made {
            gives: match (checked.gives, wanted) {
                (Gives::Nothing, Some(_)) => Gives::Unknown,
                (gives, _) => gives,
            },
            effect: checked.effect,
        };
        let params = head.params.iter().map(|param| Input {
            name: param.name.clone(),
            ty: param.ty.clone().unwrap_or(Type::Json),
            value: match &param.default {
                ParamDefault::Value(expr) => Some(expr.clone()),
                ParamDefault::Required | ParamDefault::Setting => None,
            },
            docs: param.docs.clone(),
        });
        let kind = NodeKind::Workflow(Box::new(Workflow {
            workflow: tree.name.text.as_str().into(),
            params: params.collect(),
            limits,
            policies: Policies::default(),
            block: checked.block,
            fallback: None,
        }));
        self.fill(NodeId(0), kind, &made);
        self.leave();
        WorkflowFacts {
            returns: match made.gives {
                Gives::Value(ty) => Some(ty),
                Gives::Nothing | Gives::Unknown => None,
            },
            effect: made.effect,
            broken: self.out.has_errors(),
        }
    }

    fn leave_inputs(&mut self) {
        for (name, binding) in self.scopes.pop() {
            if !binding.used {
                self.report(
                    Self::error(
                        codes::UNUSED,
                        binding.span,
                        format!("nobody uses the input `{name}`"),
                    )
                    .help(format!("use it, remove it, or call it `_{name}`")),
                );
            }
        }
    }
}

/// Returns the workflows in an order in which each comes after those that it
/// calls; reports those that call themselves, which come last.
pub(crate) fn sequence(program: &Program<'_>, out: &mut Diagnostics) -> Vec<WorkflowId> {
    let count = program.workflows.len();
    let mut edges = Vec::new();
    for (at, head) in program.workflows.iter().enumerate() {
        // A value may have the name of a workflow. The names are asked for if
        // there is a workflow of such a name at all.
        let values = LazyCell::new(|| {
            let params = head.tree.params.iter();
            let mut values: BTreeSet<&str> = params.map(|param| param.name.text.as_str()).collect();
            mentions::bound(&head.tree.body, &mut values);
            values
        });
        mentions::of_block(&head.tree.body, &mut |mention| {
            let Some(callee) = called(program, head.file, mention) else {
                return;
            };
            if let Mention::Name(name) | Mention::Dotted(name, _) = mention
                && values.contains(name)
            {
                return;
            }
            edges.push((callee.0, at));
        });
    }
    edges.sort_unstable();
    edges.dedup();
    let mut order = topological(count, &edges);
    if order.len() < count {
        report_recursion(program, &edges, out);
        complete(&mut order, count);
    }
    order.into_iter().map(WorkflowId).collect()
}

fn called(program: &Program<'_>, file: FileId, mention: Mention<'_>) -> Option<WorkflowId> {
    let scope = program.file(file);
    let own = |name: &str| scope.workflows.get(name).map(|found| found.what);
    let of = |alias: &str, name: &str| {
        let used = scope.uses.get(alias)?.what?;
        let found = program.file(used).workflows.get(name)?;
        Some(found.what)
    };
    match mention {
        // A name alone is a value: a workflow is no value, and may share its name with one.
        Mention::Name(_) => None,
        Mention::Call(path) => match path.split_once('.') {
            None => own(path),
            Some((alias, name)) => of(alias, name),
        },
        Mention::Dotted(alias, name) => of(alias, name),
    }
}

fn report_recursion(program: &Program<'_>, edges: &[(usize, usize)], out: &mut Diagnostics) {
    for members in circles(program.workflows.len(), edges) {
        let name = |at: usize| &program.workflows[at].tree.name;
        let first = name(members[0]);
        let message = if members.len() == 1 {
            format!("`{}` calls itself", first.text)
        } else {
            let names = members.iter().map(|at| name(*at).text.as_str());
            format!("{} call each other", super::matching::list_of(names))
        };
        let mut diagnostic = Diagnostic::new(codes::RECURSION, first.span, message)
            .help("a workflow that called itself could go on for ever; `repeat s = … max n { … }` hands a state from round to round");
        for at in members.iter().skip(1).take(7) {
            diagnostic = diagnostic.other(name(*at).span, "and this");
        }
        out.push(diagnostic);
    }
}
