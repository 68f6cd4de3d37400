//! The top of a file: what it uses and declares.

use super::keys::{FILE, INPUT, STEP_DECLARATION, USE, WORKFLOW};
use super::reader::Reader;
use super::tree::{Entry, Kind, Node};
use crate::ast::{
    Clause, Enum, Field, Item, ItemKind, Name, Path, StepDecl, TypeBase, TypeDef, TypeExpr, Use,
    Workflow, YieldWord,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::dsl::fragment;
use crate::span::Span;

/// The parts of a workflow as they are written.
#[derive(Default)]
struct Parts<'s> {
    inputs: Option<Node<'s>>,
    outputs: Option<Node<'s>>,
    limits: Vec<Clause>,
    steps: Option<Entry<'s>>,
    result: Option<Entry<'s>>,
}

impl<'s> Reader<'s> {
    /// Reads a whole file.
    pub(super) fn file(&mut self, root: Option<Node<'s>>) -> Vec<Item> {
        let mut items = Vec::new();
        let Some(root) = root else {
            return items;
        };
        if matches!(root.kind, Kind::Absent) {
            return items;
        }
        let Some(mut fields) = self.fields(root, &FILE, "a file") else {
            return items;
        };
        let is_single = fields.has("workflow");
        let mut name: Option<(Entry<'s>, usize)> = None;
        let mut stray: Option<Span> = None;
        let mut parts = Parts::default();
        for entry in fields.rest() {
            let key = self.span(entry.key.start, entry.key.end);
            match &*entry.key.text {
                "use" => self.uses(entry, &mut items),
                "enums" => self.enums(entry, &mut items),
                "types" => self.types(entry, &mut items),
                "steps_declared" => self.steps_declared(entry, &mut items),
                "workflow" => name = Some((entry, items.len())),
                "workflows" => {
                    if is_single {
                        self.both_ways(key);
                    }
                    self.workflows(entry, &mut items);
                }
                "triggers" => self.triggers(entry, &mut items),
                "tests" => self.tests(entry, &mut items),
                _ => {
                    stray.get_or_insert(key);
                    self.part(entry, &mut parts);
                }
            }
        }
        if let Some((entry, at)) = name {
            let item = self.single_workflow(&entry, parts, fields.span);
            items.insert(at, item);
        } else if let Some(stray) = stray {
            self.nameless_workflow(stray, parts, fields.span, &mut items);
        }
        items
    }

    fn both_ways(&mut self, span: Span) {
        let fault = Diagnostic::new(
            codes::TWO_KINDS,
            span,
            "a file has either `workflow` or `workflows`",
        );
        self.out
            .push(fault.help("move the single workflow under `workflows:`, by its name"));
    }

    fn nameless_workflow(
        &mut self,
        stray: Span,
        parts: Parts<'s>,
        around: Span,
        items: &mut Vec<Item>,
    ) {
        if !self.is_broken_in(around) {
            self.out.push(
                Diagnostic::new(codes::MISSING_KEY, stray, "the workflow has no name")
                    .help("add `workflow: NAME` above it"),
            );
        }
        let name = Name {
            text: "main".to_owned(),
            span: stray.before(),
        };
        let workflow = self.workflow(name, parts, stray);
        items.push(Item {
            kind: ItemKind::Workflow(workflow),
            docs: String::new(),
            span: stray,
        });
    }

    fn single_workflow(&mut self, entry: &Entry<'s>, parts: Parts<'s>, around: Span) -> Item {
        let (docs, span) = self.docs(self.span(entry.key.start, entry.value.end));
        let name = self.name(&entry.value, "`workflow`");
        let ends = [
            parts.inputs.as_ref().map(|node| node.end),
            parts.outputs.as_ref().map(|node| node.end),
            parts.steps.as_ref().map(|entry| entry.value.end),
            parts.result.as_ref().map(|entry| entry.value.end),
        ];
        let end = ends.into_iter().flatten().max().unwrap_or(span.end);
        let span = span.to(self.span(end, end));
        // What is in it is read all the same, for what is wrong there.
        let name = name.unwrap_or_else(|| Name {
            text: "main".to_owned(),
            span: self.span_of(&entry.value),
        });
        let kind = ItemKind::Workflow(self.workflow(name, parts, around));
        Item { kind, docs, span }
    }

    fn workflows(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        self.each(entry, items, |this, key, value| {
            let around = this.span_of(&value);
            let name = this.scalar_name(&key)?;
            let mut fields = this.fields(value, &WORKFLOW, &format!("`{}`", key.text))?;
            let mut parts = Parts::default();
            for entry in fields.rest() {
                this.part(entry, &mut parts);
            }
            Some(ItemKind::Workflow(this.workflow(name, parts, around)))
        });
    }

    fn part(&mut self, entry: Entry<'s>, parts: &mut Parts<'s>) {
        match &*entry.key.text {
            "inputs" => parts.inputs = Some(entry.value),
            "outputs" => parts.outputs = Some(entry.value),
            "steps" => parts.steps = Some(entry),
            "return" => parts.result = Some(entry),
            _ => parts.limits.extend(self.clause(&entry)),
        }
    }

    fn workflow(&mut self, name: Name, parts: Parts<'s>, around: Span) -> Workflow {
        let params = parts.inputs.map(|node| self.inputs(node, "`inputs`"));
        let returns = parts.outputs.map(|node| self.type_expr(node, "`outputs`"));
        let body = self.block_of(parts.steps, parts.result, YieldWord::Return, around);
        Workflow {
            name,
            params: params.unwrap_or_default(),
            returns,
            limits: parts.limits,
            body,
        }
    }

    /// Reads a mapping of declarations, an item each.
    pub(super) fn each(
        &mut self,
        entry: Entry<'s>,
        items: &mut Vec<Item>,
        read: fn(&mut Self, super::scalar::Scalar<'s>, Node<'s>) -> Option<ItemKind>,
    ) {
        let what = format!("`{}`", entry.key.text);
        for Entry { key, value } in self.entries(entry.value, &what).unwrap_or_default() {
            let span = self.span(key.start, value.end.max(key.end));
            let (docs, span) = self.docs(span);
            let kind = read(self, key, value).unwrap_or(ItemKind::Error);
            items.push(Item { kind, docs, span });
        }
    }

    fn uses(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        for node in self.list(entry.value, "`use`").unwrap_or_default() {
            let (docs, span) = self.docs(self.span_of(&node));
            let kind = match node.kind {
                Kind::Map(_) => self.use_as(node),
                Kind::Scalar(_) | Kind::Seq(_) | Kind::Absent | Kind::Broken => {
                    let path = self.verbatim_text(&node, "the file");
                    path.map(|path| Use { path, alias: None })
                }
            };
            let kind = kind.map_or(ItemKind::Error, ItemKind::Use);
            items.push(Item { kind, docs, span });
        }
    }

    fn use_as(&mut self, node: Node<'s>) -> Option<Use> {
        let mut fields = self.fields(node, &USE, "an item of `use`")?;
        let file = self.required(&mut fields, "file");
        let alias = fields.value("as");
        let alias = alias.and_then(|node| self.name(&node, "`as`"));
        let path = self.verbatim_text(&file?, "`file`")?;
        Some(Use { path, alias })
    }

    fn enums(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        self.each(entry, items, |this, key, value| {
            if matches!(value.kind, Kind::Seq(_)) {
                let fault = Diagnostic::new(
                    codes::WRONG_SHAPE,
                    this.head_of(&value),
                    format!("`{}` is a text, found a list", key.text),
                );
                this.out.push(fault.help("write the values as `a | b | c`"));
                return None;
            }
            let name = this.scalar_name(&key);
            let what = format!("`{}`", key.text);
            let variants = this.language(&value, &what, fragment::enum_variants)?;
            Some(ItemKind::Enum(Enum {
                name: name?,
                variants,
            }))
        });
    }

    fn types(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        self.each(entry, items, |this, key, value| {
            let name = this.scalar_name(&key);
            let ty = this.type_expr(value, &format!("`{}`", key.text));
            Some(ItemKind::Type(TypeDef { name: name?, ty }))
        });
    }

    /// Refuses a `${…}` where a type is expected.
    fn is_value(&mut self, node: &Node<'s>, what: &str) -> bool {
        let is_value = matches!(&node.kind, Kind::Scalar(scalar) if scalar.text.starts_with("${"));
        if is_value {
            let message = format!("{what} is a type, and `${{…}}` is a value");
            let fault = Diagnostic::new(codes::WRONG_SHAPE, self.span_of(node), message);
            self.out.push(
                fault.help(
                    "write its type, such as `text`; what a workflow gives stands in `return:`",
                ),
            );
        }
        is_value
    }

    /// Reads a type: as text, or a record as a mapping of its fields.
    pub(super) fn type_expr(&mut self, node: Node<'s>, what: &str) -> TypeExpr {
        let span = self.span_of(&node);
        let base = match node.kind {
            Kind::Map(entries) => {
                TypeBase::Record(entries.into_iter().map(|entry| self.field(entry)).collect())
            }
            Kind::Scalar(_) if self.is_value(&node, what) => TypeBase::Error,
            Kind::Scalar(_) => match self.language(&node, what, fragment::type_expr) {
                Some(ty) => return ty,
                None => TypeBase::Error,
            },
            Kind::Seq(_) | Kind::Absent | Kind::Broken => {
                self.wrong_shape(&node, what, "a type");
                TypeBase::Error
            }
        };
        TypeExpr {
            base,
            optional: None,
            refinements: Vec::new(),
            span,
        }
    }

    /// Reads a field of a record: `name: type`.
    fn field(&mut self, entry: Entry<'s>) -> Field {
        let Entry { key, value } = entry;
        let place = self.span(key.start, value.end.max(key.end));
        let (docs, span) = self.docs(place);
        let what = format!("`{}`", key.text);
        let name = self.field_name(&key);
        let (constant, ty, default) = match value.kind {
            Kind::Scalar(_) if self.is_value(&value, &what) => (None, error_type(place), None),
            Kind::Scalar(_) => self
                .language(&value, &what, fragment::field_type)
                .unwrap_or_else(|| (None, error_type(place), None)),
            Kind::Map(_) | Kind::Seq(_) | Kind::Absent | Kind::Broken => {
                (None, self.type_expr(value, &what), None)
            }
        };
        Field {
            constant,
            name,
            ty,
            default,
            docs,
            span,
        }
    }

    /// Reads inputs or parameters.
    fn inputs(&mut self, node: Node<'s>, what: &str) -> Vec<Field> {
        let entries = self.entries(node, what).unwrap_or_default();
        let fields = entries.into_iter().map(|entry| {
            let is_long = matches!(&entry.value.kind, Kind::Map(inner)
                if inner.iter().any(|one| one.key.text == "type"));
            if is_long {
                self.long_input(entry)
            } else {
                self.field(entry)
            }
        });
        fields.collect()
    }

    fn long_input(&mut self, entry: Entry<'s>) -> Field {
        let Entry { key, value } = entry;
        let place = self.span(key.start, value.end.max(key.end));
        let (mut docs, span) = self.docs(place);
        let name = self.field_name(&key);
        let mut field = Field {
            constant: None,
            name,
            ty: error_type(place),
            default: None,
            docs: String::new(),
            span,
        };
        let Some(mut fields) = self.fields(value, &INPUT, "an input") else {
            return field;
        };
        if let Some(node) = self.required(&mut fields, "type") {
            if matches!(node.kind, Kind::Scalar(_)) {
                let found = self.language(&node, "`type`", fragment::field_type);
                if let Some((constant, ty, default)) = found {
                    (field.constant, field.ty, field.default) = (constant, ty, default);
                }
            } else {
                field.ty = self.type_expr(node, "`type`");
            }
        }
        if let Some(node) = fields.value("default") {
            field.default = Some(self.expr_value(node, "`default`"));
        }
        if let Some(node) = fields.value("about")
            && let Some(about) = self.verbatim_text(&node, "`about`")
        {
            if !docs.is_empty() {
                docs.push('\n');
            }
            docs.push_str(&about.text);
        }
        field.docs = docs;
        field
    }

    fn steps_declared(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        self.each(entry, items, |this, key, value| {
            let head = this.fragment(&key, fragment::call_head);
            let mut fields = this.fields(value, &STEP_DECLARATION, &format!("`{}`", key.text))?;
            let params = match fields.value("params") {
                Some(node) if matches!(node.kind, Kind::Scalar(_)) => {
                    this.language(&node, "`params`", fragment::params)
                }
                Some(node) => Some(this.inputs(node, "`params`")),
                None => None,
            };
            let returns = this.required(&mut fields, "returns");
            let returns = returns.map(|node| this.type_expr(node, "`returns`"));
            let effects = fields.value("effect");
            let effects =
                effects.and_then(|node| this.language(&node, "`effect`", fragment::effects));
            let cost = fields.value("cost");
            let cost = cost.map(|node| this.expression(&node, "`cost`"));
            let pool = fields.value("pool");
            let pool = pool.map(|node| this.expression(&node, "`pool`"));
            let run = fields.value("run");
            let run = run.and_then(|node| this.verbatim_text(&node, "`run`"));
            let (path, param) = head?;
            Some(ItemKind::Step(StepDecl {
                type_param: param.and_then(|param| this.type_param(param)),
                path,
                params: params.unwrap_or_default(),
                returns: returns.unwrap_or_else(|| error_type(fields.span)),
                effects: effects.unwrap_or_default(),
                cost,
                pool,
                run,
            }))
        });
    }

    /// Takes the `T` of `gen.text<T>`.
    fn type_param(&mut self, param: TypeExpr) -> Option<Name> {
        let is_plain = param.optional.is_none() && param.refinements.is_empty();
        match param.base {
            TypeBase::Named {
                path: Path { text, span },
                args,
            } if is_plain && args.is_empty() => Some(Name { text, span }),
            TypeBase::Error => None,
            TypeBase::Named { .. } | TypeBase::Record(_) => {
                let message = "a type parameter is a name, such as `T`";
                let fault = Diagnostic::new(codes::WRONG_SHAPE, param.span, message);
                self.out.push(fault);
                None
            }
        }
    }
}

fn error_type(span: Span) -> TypeExpr {
    TypeExpr {
        base: TypeBase::Error,
        optional: None,
        refinements: Vec::new(),
        span,
    }
}
