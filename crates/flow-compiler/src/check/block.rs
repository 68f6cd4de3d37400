//! Blocks: statements to nodes, checked in the order in which they need each
//! other, acting in the order in which they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::effect::Effect;
use flow_core::expr::{Expr, Function};
use flow_core::plan::{Block, Edge, Node, NodeId, NodeKind, Parent};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::diagnostic::Certainty;
use flow_syntax::span::Span;

use super::graph::{circles, complete, topological};
use super::mentions::{self, Mention};
use super::words::Words;
use super::{Binding, Checker, Typed};
use crate::codes;

/// What something gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Gives {
    /// No value.
    Nothing,
    /// A value of a type.
    Value(Type),
    /// Nobody knows, because of an error that has been reported.
    Unknown,
}

impl Gives {
    /// Returns the type, if it is known.
    pub(crate) fn ty(&self) -> Option<&Type> {
        match self {
            Self::Value(ty) => Some(ty),
            Self::Nothing | Self::Unknown => None,
        }
    }

    pub(super) fn of(ty: Option<Type>) -> Self {
        ty.map_or(Self::Unknown, Self::Value)
    }
}

/// A checked block.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) block: Block,
    pub(crate) gives: Gives,
    pub(crate) effect: Effect,
}

/// What a block's statements are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Acts happen in the order in which they are written.
    Written,
    /// Acts happen when they can.
    Free,
    /// Every statement is a contender of a race.
    Race,
}

/// What was made of a statement.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) gives: Gives,
    pub(crate) effect: Effect,
}

impl Made {
    pub(crate) fn unknown() -> Self {
        Self {
            gives: Gives::Unknown,
            effect: Effect::Pure,
        }
    }
}

/// The names of a block's statements.
type Names = Words<Taken>;

/// What a name of a block is taken by.
#[derive(Debug)]
struct Taken {
    /// How many statements have the name, or are called so without one.
    count: u32,
    /// The place of the first.
    span: Span,
    /// The first statement that binds it.
    bound: Option<usize>,
}

impl Checker<'_> {
    /// Makes a node that is filled in later.
    pub(crate) fn reserve(&mut self, name: Arc<str>, parent: Option<Parent>, span: Span) -> NodeId {
        let id = u32::try_from(self.body.nodes.len()).expect("a text of 16 MiB has fewer nodes");
        self.body.nodes.push(Node {
            name,
            parent,
            ty: None,
            effect: Effect::Pure,
            kind: NodeKind::Value(Expr::Const(Value::None)),
        });
        self.body.spans.push(span);
        NodeId(id)
    }

    /// Fills a node in.
    pub(crate) fn fill(&mut self, id: NodeId, kind: NodeKind, made: &Made) {
        let node = &mut self.body.nodes[id.0 as usize];
        node.kind = kind;
        node.ty = made.gives.ty().cloned();
        node.effect = made.effect;
    }

    /// Checks a block in a scope of its own.
    pub(crate) fn block(
        &mut self,
        tree: &ast::Block,
        parent: &Parent,
        order: Order,
        wanted: Option<&Type>,
    ) -> Checked {
        self.scopes.push();
        let checked = self.open_block(tree, parent, order, wanted);
        let names = self.scopes.pop();
        // The winner of a race is its value, so every contender is used.
        if order != Order::Race {
            self.say_unused(names);
        }
        checked
    }

    /// Checks a block in the scope that is open.
    pub(crate) fn open_block(
        &mut self,
        tree: &ast::Block,
        parent: &Parent,
        order: Order,
        wanted: Option<&Type>,
    ) -> Checked {
        let (mut nodes, names) = self.reserve_all(tree, parent);
        let mut effects = vec![Effect::Pure; nodes.len()];
        let edges = self.body.edges.len();
        for at in self.sequence(tree, &names) {
            let stmt = &tree.stmts[at];
            let outer = self.stmt.replace(stmt.span);
            self.scopes.at(Some(nodes[at]));
            self.enter(nodes[at]);
            let (made, wanted) = self.stmt(stmt, nodes[at]);
            effects[at] = made.effect;
            self.bind_stmt(stmt, nodes[at], &made.gives, wanted.as_ref());
            self.leave();
            self.stmt = outer;
        }
        self.scopes.at(None);
        let mut gives = Gives::Nothing;
        let mut result = None;
        if let Some(tree) = &tree.result {
            self.check_result_word(tree, parent);
            let outer = self.stmt.replace(tree.span);
            let made = self.result(&tree.value, parent, wanted, &mut nodes, &mut effects);
            self.stmt = outer;
            (result, gives) = made;
        }
        if order == Order::Written {
            self.order_acts(&nodes, &effects, edges);
        }
        self.say_unnamed_acts(tree, &nodes, &effects);
        Checked {
            effect: effects.into_iter().max().unwrap_or_default(),
            block: Block { nodes, result },
            gives,
        }
    }

    /// Reports `yield` at the end of a workflow. A `return` elsewhere is refused
    /// where the text is read.
    fn check_result_word(&mut self, tree: &ast::Yield, parent: &Parent) {
        let is_workflow = parent.node == NodeId(0) && parent.arm.is_none();
        if !is_workflow || tree.keyword == ast::YieldWord::Return {
            return;
        }
        let mut word = tree.span.before();
        word.end = word.start + 5;
        let fault = Self::error(
            codes::RESULT_WORD,
            word,
            "`yield` stands where `return` belongs",
        );
        self.report(
            fault
                .help("a workflow gives its result by `return`, a block inside it by `yield`")
                .fix(Certainty::Certain, "write `return`", word, "return"),
        );
    }

    /// Checks what stands as an arm, a fallback or a block.
    pub(crate) fn arm(
        &mut self,
        value: &ast::Value,
        parent: &Parent,
        wanted: Option<&Type>,
    ) -> Checked {
        if let ast::Value::Block(block) = value {
            return self.block(block, parent, Order::Written, wanted);
        }
        self.scopes.push();
        let (mut nodes, mut effects) = (Vec::new(), Vec::new());
        let (result, gives) = self.result(value, parent, wanted, &mut nodes, &mut effects);
        self.scopes.pop();
        Checked {
            effect: effects.into_iter().max().unwrap_or_default(),
            block: Block { nodes, result },
            gives,
        }
    }

    /// Checks the value of a block. A call or a region becomes a node of it.
    fn result(
        &mut self,
        value: &ast::Value,
        parent: &Parent,
        wanted: Option<&Type>,
        nodes: &mut Vec<NodeId>,
        effects: &mut Vec<Effect>,
    ) -> (Option<Expr>, Gives) {
        let span = value.span();
        let typed = match value {
            ast::Value::Expr(governed) if self.callee_of(&governed.expr).is_none() => {
                self.forbid_policies(governed);
                self.expr(&governed.expr, wanted)
            }
            ast::Value::Error(_) => Typed::unknown(),
            ast::Value::Expr(_) | ast::Value::Region(_) | ast::Value::Block(_) => {
                let name = self.free_name(value_name(value), nodes);
                let id = self.reserve(name, Some(parent.clone()), span);
                nodes.push(id);
                self.scopes.at(Some(id));
                self.enter(id);
                let made = self.value_node(value, id, wanted);
                self.leave();
                self.scopes.at(None);
                effects.push(made.effect);
                match made.gives {
                    Gives::Nothing => {
                        self.report_no_value(span, value_name(value));
                        Typed::unknown()
                    }
                    Gives::Unknown => Typed::unknown(),
                    Gives::Value(ty) => Typed::new(Expr::Node(id), ty),
                }
            }
        };
        let typed = self.without_secrets(typed, span);
        let gives = Gives::of(typed.ty.clone());
        match (wanted, &gives) {
            (Some(wanted), Gives::Value(_)) => {
                let expr = self.coerce(typed, wanted, span);
                (Some(expr), Gives::Value(wanted.clone()))
            }
            _ => (Some(typed.expr), gives),
        }
    }

    /// Makes a node of each statement, and tells which names they have.
    fn reserve_all(&mut self, tree: &ast::Block, parent: &Parent) -> (Vec<NodeId>, Names) {
        let mut taken = Names::default();
        let mut nodes = Vec::with_capacity(tree.stmts.len());
        self.body.nodes.reserve(tree.stmts.len());
        self.body.spans.reserve(tree.stmts.len());
        for (at, stmt) in tree.stmts.iter().enumerate() {
            let name = stmt
                .name
                .as_ref()
                .map_or_else(|| value_name(&stmt.value), |name| &name.text);
            let span = stmt.name.as_ref().map_or(stmt.span, |name| name.span);
            let entry = taken.get_or_insert_with(name, || Taken {
                count: 0,
                span,
                bound: None,
            });
            entry.count += 1;
            let (count, first) = (entry.count, entry.span);
            if let Some(name) = &stmt.name {
                let outer = self.scopes.bound(&name.text);
                // A name that is taken further out means what it meant there.
                if outer.is_none() {
                    entry.bound.get_or_insert(at);
                }
                if count > 1 {
                    self.report_taken(name, first);
                } else if let Some(outer) = outer {
                    self.report_taken(name, outer);
                }
            }
            let segment = match count {
                1 => Arc::from(name),
                _ => Arc::from(format!("{name}#{count}")),
            };
            nodes.push(self.reserve(segment, Some(parent.clone()), stmt.span));
        }
        (nodes, taken)
    }

    fn report_taken(&mut self, name: &ast::Name, first: Span) {
        self.report(
            Self::error(
                codes::NAME_TAKEN,
                name.span,
                format!("the name `{}` is taken", name.text),
            )
            .label("bound again here")
            .other(first, "bound here first")
            .help("a name is bound once and never changes; choose another one"),
        );
    }

    fn free_name(&self, name: &str, nodes: &[NodeId]) -> Arc<str> {
        let taken = |candidate: &str| {
            let mut names = nodes.iter().map(|id| &self.body.nodes[id.0 as usize].name);
            names.any(|name| &**name == candidate)
        };
        if !taken(name) {
            return Arc::from(name);
        }
        let mut count = 2;
        loop {
            let candidate = format!("{name}#{count}");
            if !taken(&candidate) {
                return Arc::from(candidate);
            }
            count += 1;
        }
    }

    /// Returns the statements in an order in which each comes after those that
    /// it mentions, as near to the written order as can be.
    fn sequence(&mut self, tree: &ast::Block, names: &Names) -> Vec<usize> {
        let count = tree.stmts.len();
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for (at, stmt) in tree.stmts.iter().enumerate() {
            mentions::of_stmt(stmt, &mut |mention| {
                if let Mention::Name(name) = mention
                    && let Some(taken) = names.get(name)
                    && let Some(from) = taken.bound
                {
                    edges.push((from, at));
                }
            });
        }
        if edges.iter().all(|(from, to)| from < to) {
            return (0..count).collect();
        }
        edges.sort_unstable();
        edges.dedup();
        let order = topological(count, &edges);
        if order.len() == count {
            return order;
        }
        self.report_cycles(tree, &edges, order)
    }

    /// Reports what needs itself, and puts it last.
    fn report_cycles(
        &mut self,
        tree: &ast::Block,
        edges: &[(usize, usize)],
        mut order: Vec<usize>,
    ) -> Vec<usize> {
        for members in circles(tree.stmts.len(), edges) {
            let names: Vec<&ast::Name> = members
                .iter()
                .filter_map(|at| tree.stmts[*at].name.as_ref())
                .collect();
            let Some(first) = names.first() else { continue };
            let message = match names.len() {
                1 => format!("`{}` needs itself", first.text),
                _ => format!(
                    "{} need each other",
                    names
                        .iter()
                        .take(8)
                        .map(|name| format!("`{}`", name.text))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            let mut diagnostic = Self::error(codes::CYCLE, first.span, message)
                .help("a step starts when everything it mentions has a value; break the circle, or use `repeat` to hand a state from round to round");
            for other in names.iter().skip(1).take(7) {
                diagnostic = diagnostic.other(other.span, "and this");
            }
            self.report(diagnostic);
            for name in names {
                self.scopes.bind(
                    &name.text,
                    Binding {
                        expr: Expr::Const(Value::None),
                        ty: None,
                        empty: false,
                        span: name.span,
                        used: true,
                    },
                );
            }
        }
        complete(&mut order, tree.stmts.len());
        order
    }

    fn stmt(&mut self, stmt: &ast::Stmt, id: NodeId) -> (Made, Option<Type>) {
        let wanted = match &stmt.ty {
            None => None,
            Some(tree) => {
                let Some(ty) = self.type_expr(tree) else {
                    self.value_node(&stmt.value, id, None);
                    return (Made::unknown(), None);
                };
                Some(ty)
            }
        };
        if stmt.name.is_none() {
            self.say_dropped(stmt);
        }
        let made = self.value_node(&stmt.value, id, wanted.as_ref());
        (made, wanted)
    }

    /// Reports a value or an answer that has no name.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever is no call of a step is a value"
    )]
    fn say_dropped(&mut self, stmt: &ast::Stmt) {
        let ast::Value::Expr(governed) = &stmt.value else {
            return;
        };
        let span = governed.expr.span;
        match &governed.expr.kind {
            ast::ExprKind::Error => {}
            ast::ExprKind::Call(call) if asks(&call.path.text) => self.report(
                Self::error(
                    codes::UNUSED_ANSWER,
                    span,
                    format!("nobody looks at the answer of `{}`", call.path.text),
                )
                .label("this guards nothing")
                .help("give it a name and use it: `ok = approve(…)`, then `if ok { … }`"),
            ),
            ast::ExprKind::Call(call) if Function::from_name(&call.path.text).is_none() => {}
            _ => self.report(
                Self::error(codes::VALUE_UNUSED, span, "nobody can use this value")
                    .help("give it a name: `x = …`, or make it the value of its block: `yield …`"),
            ),
        }
    }

    /// Makes a node of what stands at the right of a binding.
    fn value_node(&mut self, value: &ast::Value, id: NodeId, wanted: Option<&Type>) -> Made {
        match value {
            ast::Value::Expr(governed) => {
                if let Some(callee) = self.callee_of(&governed.expr) {
                    self.call_node(governed, callee, id, wanted)
                } else {
                    self.forbid_policies(governed);
                    let typed = self.expr(&governed.expr, wanted);
                    let typed = match wanted {
                        Some(_) => typed,
                        None => self.settle(typed, governed.expr.span),
                    };
                    // A secret may have another name, and nothing else.
                    let typed = match &typed.ty {
                        Some(Type::Secret) => typed,
                        Some(Type::Map(of)) if **of == Type::Secret => typed,
                        Some(_) | None => self.without_secrets(typed, governed.expr.span),
                    };
                    let made = Made {
                        gives: Gives::of(wanted.cloned().or_else(|| typed.ty.clone())),
                        effect: Effect::Pure,
                    };
                    let expr = match wanted {
                        Some(wanted) => self.coerce(typed, wanted, governed.expr.span),
                        None => typed.expr,
                    };
                    self.fill(id, NodeKind::Value(expr), &made);
                    made
                }
            }
            ast::Value::Region(region) => self.region(region, id, wanted),
            // The grammar has blocks only as arms and fallbacks.
            ast::Value::Block(_) | ast::Value::Error(_) => Made::unknown(),
        }
    }

    fn bind_stmt(&mut self, stmt: &ast::Stmt, id: NodeId, gives: &Gives, wanted: Option<&Type>) {
        let Some(name) = &stmt.name else { return };
        if let Some(bound) = self.scopes.bound(&name.text)
            && bound != name.span
        {
            // Reported as taken; the first binding stays.
            return;
        }
        let empty = *gives == Gives::Nothing;
        let mut typed = Typed {
            expr: Expr::Node(id),
            ty: gives.ty().cloned(),
        };
        // What a call or a region gives may have to fit the annotation first.
        if let (Some(wanted), Some(found)) = (wanted, &typed.ty) {
            if found != wanted {
                typed.expr = self.coerce(typed.clone(), wanted, stmt.value.span());
            }
            typed.ty = Some(wanted.clone());
        }
        self.scopes.bind(
            &name.text,
            Binding {
                expr: typed.expr,
                ty: typed.ty,
                empty,
                span: name.span,
                used: name.text.starts_with('_'),
            },
        );
    }

    /// Adds the edges that keep acts in their written order.
    fn order_acts(&mut self, nodes: &[NodeId], effects: &[Effect], edges: usize) {
        let acting: Vec<usize> = (0..nodes.len()).filter(|at| effects[*at].acts()).collect();
        for pair in acting.windows(2) {
            self.body.edge(nodes[pair[0]], nodes[pair[1]], Edge::Order);
        }
        let edges = &self.body.edges[edges..];
        if edges.iter().all(|(from, to, _)| from <= to) {
            return;
        }
        let position: BTreeMap<NodeId, usize> = nodes.iter().copied().zip(0..).collect();
        let inner: Vec<(usize, usize)> = edges
            .iter()
            .filter_map(|(from, to, _)| Some((*position.get(from)?, *position.get(to)?)))
            .collect();
        let order = topological(nodes.len(), &inner);
        if order.len() == nodes.len() {
            return;
        }
        // Mentions alone have no cycle any more: an act comes too late.
        let mut done = vec![false; nodes.len()];
        for at in order {
            done[at] = true;
        }
        let stuck = acting.iter().filter(|at| !done[**at]).copied();
        let stuck: Vec<usize> = stuck.collect();
        if let (Some(first), Some(last)) = (stuck.first(), stuck.last())
            && first != last
        {
            let name = |at: usize| self.body.nodes[nodes[at].0 as usize].name.clone();
            let span = |at: usize| self.body.spans[nodes[at].0 as usize];
            let diagnostic = Self::error(
                codes::ORDER,
                span(*first),
                format!(
                    "`{}` acts before `{}`, but needs what comes of it",
                    name(*first),
                    name(*last)
                ),
            )
            .other(span(*last), "this acts later")
            .help("acts happen in the order in which they are written: write this one later, or put both into `parallel { … }`");
            self.report(diagnostic);
        }
    }

    /// Reports acts whose paths would depend on how many stand before them.
    fn say_unnamed_acts(&mut self, tree: &ast::Block, nodes: &[NodeId], effects: &[Effect]) {
        let stmts = tree.stmts.iter();
        let stmts = stmts.map(|stmt| (stmt.name.is_some(), &stmt.value, stmt.span));
        let result = tree.result.iter();
        let result = result.map(|result| (false, &result.value, result.value.span()));
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        // The value of a block is its last node, if it is one at all.
        for ((is_named, value, span), at) in stmts.chain(result).zip(0..nodes.len()) {
            if is_named || !effects[at].acts() {
                continue;
            }
            let name = value_name(value);
            match first.get(name) {
                None => {
                    first.insert(name, span);
                }
                Some(other) => {
                    let diagnostic = Self::error(
                        codes::UNNAMED_ACTS,
                        span,
                        format!("two acts of one block are both called `{name}`"),
                    )
                    .other(*other, "the other one")
                    .help("give each a name, `x = …`: an edit that moved one could make it happen twice");
                    self.report(diagnostic);
                }
            }
        }
    }

    fn say_unused(&mut self, names: Vec<(String, Binding)>) {
        for (name, binding) in names {
            let Some(id) = super::scope::source(&binding.expr) else {
                continue;
            };
            if binding.ty.is_none() {
                continue;
            }
            let node = &self.body.nodes[id.0 as usize];
            if let NodeKind::Step(step) = &node.kind
                && asks(&step.step)
            {
                self.report(
                    Self::error(
                        codes::UNUSED_ANSWER,
                        binding.span,
                        format!("nobody looks at the answer `{name}`"),
                    )
                    .label("this guards nothing")
                    .help(format!("use it: `if {name} {{ … }}`")),
                );
                continue;
            }
            if node.effect.acts() {
                continue;
            }
            let message = match node.effect {
                Effect::Paid => format!("nobody uses `{name}`, which costs money"),
                Effect::Pure | Effect::Read | Effect::Act(_) => format!("nobody uses `{name}`"),
            };
            self.report(
                Self::error(codes::UNUSED, binding.span, message)
                    .help(format!("use it, remove it, or call it `_{name}`")),
            );
        }
    }

    fn report_no_value(&mut self, span: Span, name: &str) {
        self.report(
            Self::error(codes::NO_VALUE, span, format!("`{name}` gives no value"))
                .help("end its block with `yield …`"),
        );
    }
}

/// Returns the name of a statement that has none: a step's name, or a keyword.
#[expect(clippy::wildcard_enum_match_arm, reason = "only calls have names")]
fn value_name(value: &ast::Value) -> &str {
    match value {
        ast::Value::Expr(governed) => match &governed.expr.kind {
            ast::ExprKind::Call(call) => &call.path.text,
            _ => "value",
        },
        ast::Value::Region(region) => region.keyword(),
        ast::Value::Block(_) => "block",
        ast::Value::Error(_) => "error",
    }
}

/// Returns whether a step asks a person for an answer.
pub(crate) fn asks(step: &str) -> bool {
    step == "approve" || step.starts_with("human.")
}
