//! A run as a tree: a row for each step and region, and where there are many
//! items one row for all of them.

use flow_core::address::At;
use flow_core::amount::Timestamp;
use flow_core::event::Failure;
use flow_core::handle::Values;
use flow_core::history::{Arm, Choice, Entry, Instance, Parts, Place, State, Survey};
use flow_core::plan::{NodeId, NodeKind};
use flow_core::run::Costs;

use crate::wording;

/// How many items have rows of their own if nothing is said.
const ITEMS_MAX: u32 = 8;

/// How many things are remembered of each kind, to be told one by one.
const TOLD_MAX: usize = 1_000;

/// What is shown of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Detail {
    /// Few of them one by one, many together.
    Folded,
    /// All of them one by one.
    Items,
}

/// How many instances stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::commands) struct Tally([u32; State::ALL.len()]);

/// A row of the tree.
#[derive(Debug)]
pub(in crate::commands) struct Row {
    pub(in crate::commands) kind: Kind,
    /// What it is called in its block.
    pub(in crate::commands) name: String,
    /// Its path, with `[*]` for all items.
    pub(in crate::commands) path: String,
    /// What it does: `gen.image`, `for shot in shots`.
    pub(in crate::commands) head: String,
    /// The node.
    pub(in crate::commands) node: NodeId,
    /// The instance, if it is one.
    pub(in crate::commands) at: Option<At>,
    pub(in crate::commands) tally: Tally,
    /// How all of it stands.
    pub(in crate::commands) state: State,
    pub(in crate::commands) sums: Sums,
    /// The items or rounds of it, if it has any.
    pub(in crate::commands) items: Option<Counts>,
    /// The run whose result it has, if it is one of an earlier run.
    pub(in crate::commands) reused: Option<String>,
    /// Why its fallback was taken, if it was.
    pub(in crate::commands) fell_back: Option<Failure>,
    /// What failed in it, of an item whose own rows are not shown.
    pub(in crate::commands) fault: Option<Told>,
    pub(in crate::commands) rows: Vec<Row>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Kind {
    Step,
    Region,
    /// An item or a round.
    Item,
    /// An arm with a name.
    Arm,
}

/// The items of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) struct Counts {
    pub(in crate::commands) count: u32,
    pub(in crate::commands) tally: Tally,
    /// Whether they are rounds.
    pub(in crate::commands) are_rounds: bool,
    /// Whether those that fail are left out.
    pub(in crate::commands) keeps_ok: bool,
}

/// When and for how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::commands) struct Sums {
    pub(in crate::commands) first: Option<Timestamp>,
    pub(in crate::commands) last: Option<Timestamp>,
    pub(in crate::commands) costs: Costs,
    pub(in crate::commands) attempts: u32,
}

/// An instance that something is to be said about.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::commands) struct Told {
    pub(in crate::commands) at: At,
    /// The item, of a region whose item failed by itself.
    pub(in crate::commands) item: Option<u32>,
    pub(in crate::commands) state: State,
    /// What became of its failure, if something was done about it.
    pub(in crate::commands) handled: Option<Handled>,
}

/// What was done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) enum Handled {
    /// Something else was done.
    FellBack,
    /// Its item is left out.
    LeftOut,
    /// Another contender won.
    Outrun,
}

/// An instance, and what becomes of its failure.
#[derive(Debug, Clone)]
struct Seat {
    instance: Instance,
    handled: Option<Handled>,
}

/// What a survey of a run finds.
#[derive(Debug)]
pub(in crate::commands) struct Tree {
    pub(in crate::commands) root: Row,
    /// Failures, and who waits for what; of each state no more than a bound.
    pub(in crate::commands) told: Vec<Told>,
    /// How many steps stand how, those that were not begun left out.
    pub(in crate::commands) steps: Tally,
}

impl Tally {
    pub(in crate::commands) fn add(&mut self, state: State) {
        self.add_many(state, 1);
    }

    fn add_many(&mut self, state: State, count: u32) {
        let slot = &mut self.0[state as usize];
        *slot = slot.saturating_add(count);
    }

    pub(in crate::commands) fn count(self, state: State) -> u32 {
        self.0[state as usize]
    }

    pub(in crate::commands) fn all(self) -> u32 {
        self.0
            .iter()
            .fold(0, |all, count| all.saturating_add(*count))
    }

    /// Returns the states that there are, in the order in which people want to
    /// know of them.
    pub(in crate::commands) fn states(self) -> impl Iterator<Item = (State, u32)> {
        let all = State::ALL.into_iter();
        all.map(move |state| (state, self.count(state)))
            .filter(|(_, count)| *count > 0)
    }

    fn state(self) -> State {
        self.states()
            .map(|(state, _)| state)
            .collect::<Parts>()
            .state()
    }
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        let (sum, more) = (&mut self.costs, other.costs);
        sum.spent = sum.spent.saturating_add(more.spent);
        sum.presumed = sum.presumed.saturating_add(more.presumed);
        sum.held = sum.held.saturating_add(more.held);
        self.attempts = self.attempts.saturating_add(other.attempts);
    }

    fn of(entry: &Entry) -> Self {
        let is_made = entry.source.is_none();
        Self {
            first: is_made.then_some(entry.first),
            last: is_made.then_some(entry.last),
            costs: entry.costs(),
            attempts: u32::try_from(entry.attempts.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Makes the tree of a run, or of what a path means; nothing if that never
/// began.
pub(in crate::commands) fn tree(
    survey: Survey<'_>,
    place: Option<&Place>,
    detail: Detail,
    values: &dyn Values,
) -> Option<Tree> {
    let mut builder = Builder {
        survey,
        values,
        detail,
        told: Vec::new(),
        kept: Tally::default(),
        steps: Tally::default(),
    };
    let root = Seat {
        instance: survey.root(),
        handled: None,
    };
    let root = match place {
        None => builder.row(NodeId(0), &[root]).0,
        Some(place) => builder.place(root, place)?,
    };
    Some(Tree {
        root,
        told: builder.told,
        steps: builder.steps,
    })
}

struct Builder<'a> {
    survey: Survey<'a>,
    values: &'a dyn Values,
    detail: Detail,
    told: Vec<Told>,
    /// How many of each state are in `told`.
    kept: Tally,
    steps: Tally,
}

impl Builder<'_> {
    /// Returns the row of what a path means; nothing if it never began.
    fn place(&mut self, root: Seat, place: &Place) -> Option<Row> {
        let plan = self.survey.history().plan().clone();
        let mut chain = vec![place.node];
        while let Some(parent) = &plan.node(chain[chain.len() - 1]).parent {
            chain.push(parent.node);
        }
        let mut ords = place.ords.iter().copied();
        let mut found = vec![root];
        for pair in chain.windows(2).rev() {
            let [child, parent] = [pair[0], pair[1]];
            let repeats = plan.node(parent).repeats();
            let wanted = repeats.then(|| ords.next().flatten()).flatten();
            let mut inside = Vec::new();
            for seat in &found {
                let arms = self.survey.arms(&seat.instance);
                for arm in &arms {
                    if arm.block.nodes.contains(&child) {
                        let items = numbers(arm);
                        let items = items.filter(|item| wanted.is_none() || wanted == *item);
                        inside.extend(items.map(|item| self.inside(seat, arm, &arms, child, item)));
                    }
                }
            }
            found = inside;
        }
        let first = found.first()?;
        let Some(item) = place.item else {
            return Some(self.row(place.node, &found).0);
        };
        let arms = self.survey.arms(&first.instance);
        let has_it = |arm: &&Arm<'_>| arm.items.is_some_and(|all| item < all);
        let arm = arms.iter().find(has_it)?;
        Some(self.item(first, arm, item).0)
    }

    /// Returns an instance in an arm, and what becomes of its failure.
    fn inside(
        &self,
        seat: &Seat,
        arm: &Arm<'_>,
        arms: &[Arm<'_>],
        node: NodeId,
        item: Option<u32>,
    ) -> Seat {
        let of = &seat.instance;
        let kind = &self.survey.history().plan().node(of.at.node).kind;
        let has_fallen = arms.iter().any(|arm| arm.is_fallback);
        let handled = match kind {
            _ if seat.handled.is_some() => seat.handled,
            _ if has_fallen && !arm.is_fallback => Some(Handled::FellBack),
            NodeKind::For(each) if each.keep_ok => Some(Handled::LeftOut),
            NodeKind::Race(_) if !arm.is_fallback => {
                let has_failed = self.survey.state(of) == State::Failed;
                (!has_failed).then_some(Handled::Outrun)
            }
            NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => None,
        };
        Seat {
            instance: self.survey.child(of, arm, node, item),
            handled,
        }
    }

    /// Returns a row for instances of a node, and how each of them stands.
    fn row(&mut self, node: NodeId, seats: &[Seat]) -> (Row, Vec<State>) {
        let survey = self.survey;
        let plan = survey.history().plan();
        let is_step = matches!(plan.node(node).kind, NodeKind::Step(_));
        let mut row = self.empty(node, seats);
        let mut inside = vec![Parts::default(); seats.len()];
        if plan.node(node).repeats() {
            self.items_inside(node, seats, &mut row, &mut inside);
        } else if !plan.node(node).blocks().is_empty() {
            self.arms_inside(node, seats, &mut row, &mut inside);
        }
        let mut states = Vec::with_capacity(seats.len());
        for (seat, parts) in seats.iter().zip(&inside) {
            let state = survey.state_with(&seat.instance, || *parts);
            states.push(state);
            row.tally.add(state);
            if is_step {
                self.steps.add(state);
            }
            let entry = survey.history().entry(&seat.instance.at);
            row.sums.add(entry.map(Sums::of).unwrap_or_default());
            self.tell(seat, entry, state, is_step, *parts);
        }
        row.state = row.tally.state();
        (row, states)
    }

    fn empty(&self, node: NodeId, seats: &[Seat]) -> Row {
        let history = self.survey.history();
        let plan = history.plan();
        let found = plan.node(node);
        let only = match seats {
            [only] => Some(&only.instance.at),
            _ => None,
        };
        let entry = only.and_then(|at| history.entry(at));
        let source = entry.and_then(|entry| entry.source.as_ref());
        let is_step = matches!(found.kind, NodeKind::Step(_));
        Row {
            kind: if is_step { Kind::Step } else { Kind::Region },
            name: found.name.to_string(),
            path: match only {
                Some(at) => history.path(at, self.values).to_string(),
                None => history.any_path(node),
            },
            head: wording::head(plan, node),
            node,
            at: only.cloned(),
            tally: Tally::default(),
            state: State::Pending,
            sums: Sums::default(),
            items: None,
            reused: source.map(|source| source.from.run.to_string()),
            fell_back: entry.and_then(|entry| entry.fell_back.clone()),
            fault: None,
            rows: Vec::new(),
        }
    }

    /// Adds what is in the arms that were begun.
    fn arms_inside(&mut self, node: NodeId, seats: &[Seat], row: &mut Row, inside: &mut [Parts]) {
        let survey = self.survey;
        let plan = survey.history().plan().clone();
        let blocks = plan.node(node).blocks();
        let arms: Vec<Vec<Arm<'_>>> = (seats.iter())
            .map(|seat| survey.arms(&seat.instance))
            .collect();
        for (number, (name, block)) in (0_u32..).zip(&blocks) {
            let begun: Vec<(usize, &Arm<'_>)> = (arms.iter().enumerate())
                .filter_map(|(whose, arms)| {
                    let arm = arms.iter().find(|arm| arm.number == number)?;
                    Some((whose, arm))
                })
                .collect();
            if begun.is_empty() {
                continue;
            }
            let mut rows = Vec::new();
            for child in block.nodes.iter().filter(|node| survey.is_shown(**node)) {
                let children: Vec<Seat> = begun
                    .iter()
                    .map(|(whose, arm)| {
                        self.inside(&seats[*whose], arm, &arms[*whose], *child, None)
                    })
                    .collect();
                let (found, states) = self.row(*child, &children);
                for ((whose, arm), state) in begun.iter().zip(states) {
                    // What was done instead says how the whole stands.
                    let has_fallen = arms[*whose].iter().any(|arm| arm.is_fallback);
                    if arm.is_fallback || !has_fallen {
                        inside[*whose].add(state);
                    }
                }
                row.sums.add(found.sums);
                rows.push(found);
            }
            let is_fallback = begun.iter().any(|(_, arm)| arm.is_fallback);
            match name {
                // What is a value alone was said with what it replaces.
                Some(_) if rows.is_empty() && is_fallback => {}
                Some(name) => row.rows.push(arm_row(row, name, rows)),
                None => row.rows.append(&mut rows),
            }
        }
    }

    /// Adds items or rounds, one by one or all together.
    fn items_inside(&mut self, node: NodeId, seats: &[Seat], row: &mut Row, inside: &mut [Parts]) {
        let survey = self.survey;
        let arms: Vec<Option<Arm<'_>>> = (seats.iter())
            .map(|seat| survey.arms(&seat.instance).into_iter().next())
            .collect();
        let known = seats
            .iter()
            .filter_map(|seat| self.item_count(&seat.instance));
        let count = known.fold(0, u32::saturating_add);
        if arms.iter().all(Option::is_none) && count == 0 {
            return;
        }
        let is_few = count <= ITEMS_MAX;
        let mut tally = Tally::default();
        match (seats, arms.as_slice()) {
            ([only], [Some(arm)]) if is_few || self.detail == Detail::Items => {
                for item in 0..arm.items.unwrap_or(0) {
                    let before = self.told.len();
                    let (mut found, state) = self.item(only, arm, item);
                    inside[0].add(state);
                    tally.add(state);
                    row.sums.add(found.sums);
                    if !is_few {
                        found.fault = (self.told[before..].iter())
                            .find(|told| told.state == State::Failed)
                            .cloned();
                        found.rows = Vec::new();
                    }
                    row.rows.push(found);
                }
            }
            _ => self.all_items(node, seats, &arms, row, inside, &mut tally),
        }
        // Those that were not begun.
        let is_over = seats
            .iter()
            .zip(&*inside)
            .all(|(seat, parts)| survey.state_with(&seat.instance, || *parts).is_over());
        let rest = if is_over { State::Cut } else { State::Pending };
        tally.add_many(rest, count.saturating_sub(tally.all()));
        let kind = &survey.history().plan().node(node).kind;
        row.items = Some(Counts {
            count: count.max(tally.all()),
            tally,
            are_rounds: matches!(kind, NodeKind::Repeat(_)),
            keeps_ok: matches!(kind, NodeKind::For(each) if each.keep_ok),
        });
    }

    /// Adds a row for each node of a body, for all items together.
    fn all_items(
        &mut self,
        node: NodeId,
        seats: &[Seat],
        arms: &[Option<Arm<'_>>],
        row: &mut Row,
        inside: &mut [Parts],
        tally: &mut Tally,
    ) {
        let survey = self.survey;
        let plan = survey.history().plan().clone();
        let mut items: Vec<(usize, u32, Parts)> = Vec::new();
        for (whose, arm) in arms.iter().enumerate() {
            let begun = arm.as_ref().and_then(|arm| arm.items).unwrap_or(0);
            items.extend((0..begun).map(|item| (whose, item, Parts::default())));
        }
        let blocks = plan.node(node).blocks();
        let body = blocks
            .first()
            .into_iter()
            .flat_map(|(_, block)| &block.nodes);
        for child in body.filter(|node| survey.is_shown(**node)) {
            let children: Vec<Seat> = (items.iter())
                .filter_map(|(whose, item, _)| {
                    let arm = arms[*whose].as_ref()?;
                    let of = &seats[*whose];
                    Some(self.inside(of, arm, std::slice::from_ref(arm), *child, Some(*item)))
                })
                .collect();
            let (found, states) = self.row(*child, &children);
            for ((_, _, parts), state) in items.iter_mut().zip(states) {
                parts.add(state);
            }
            row.sums.add(found.sums);
            row.rows.push(found);
        }
        for (whose, item, parts) in items {
            let state = self.item_state(&seats[whose], item, parts);
            inside[whose].add(state);
            tally.add(state);
        }
    }

    /// Returns the row of one item, and how it stands.
    fn item(&mut self, seat: &Seat, arm: &Arm<'_>, item: u32) -> (Row, State) {
        let survey = self.survey;
        let region = &seat.instance.at;
        let mut row = self.empty(region.node, std::slice::from_ref(seat));
        let around = row.path.len();
        row.kind = Kind::Item;
        row.path = (survey.history())
            .item_path(region, item, self.values)
            .to_string();
        row.name = row.path.get(around..).unwrap_or_default().to_owned();
        row.head = String::new();
        (row.reused, row.fell_back) = (None, None);
        let mut parts = Parts::default();
        for child in arm
            .block
            .nodes
            .iter()
            .filter(|node| survey.is_shown(**node))
        {
            let child_seat = self.inside(seat, arm, std::slice::from_ref(arm), *child, Some(item));
            let (found, states) = self.row(*child, &[child_seat]);
            for state in states {
                parts.add(state);
            }
            row.sums.add(found.sums);
            row.rows.push(found);
        }
        let state = self.item_state(seat, item, parts);
        row.state = state;
        row.tally.add(state);
        (row, state)
    }

    /// Says how an item stands, and tells it if it failed by itself.
    fn item_state(&mut self, seat: &Seat, item: u32, parts: Parts) -> State {
        let at = &seat.instance.at;
        let history = self.survey.history();
        let items = history.entry(at).and_then(Entry::items);
        if items.is_none_or(|items| !items.broken.contains_key(&item)) {
            return parts.state();
        }
        let is_kept =
            matches!(&history.plan().node(at.node).kind, NodeKind::For(each) if each.keep_ok);
        let handled = seat.handled.or(is_kept.then_some(Handled::LeftOut));
        self.tell_as(at, Some(item), State::Failed, handled);
        State::Failed
    }

    fn item_count(&self, instance: &Instance) -> Option<u32> {
        match self.survey.history().entry(&instance.at)?.choice.as_ref()? {
            Choice::Items(items) => Some(items.count),
            Choice::Rounds { opened, .. } => Some(*opened),
            Choice::Arm { .. } | Choice::Won(_) => None,
        }
    }

    /// Remembers what people want to know of.
    fn tell(
        &mut self,
        seat: &Seat,
        entry: Option<&Entry>,
        state: State,
        is_step: bool,
        parts: Parts,
    ) {
        let at = &seat.instance.at;
        if entry.is_some_and(|entry| entry.fell_back.is_some()) && is_step {
            let handled = seat.handled.or(Some(Handled::FellBack));
            self.tell_as(at, None, State::Failed, handled);
            return;
        }
        let is_pausing = !is_step && state == State::Pausing && !parts.has(State::Pausing);
        let is_told = match state {
            _ if is_pausing => true,
            // Mostly it fails by what is in it, and that is told.
            State::Failed => is_step || !(parts.has(State::Failed) || parts.has(State::Blocked)),
            State::Running
            | State::Remote
            | State::Probing
            | State::Ready
            | State::Asking
            | State::Unknown
            | State::Held
            | State::Pausing
            | State::Sleeping => is_step,
            State::Pending
            | State::Blocked
            | State::Cut
            | State::Skipped
            | State::Reused
            | State::Succeeded => false,
        };
        if is_told {
            self.tell_as(at, None, state, seat.handled);
        }
    }

    fn tell_as(&mut self, at: &At, item: Option<u32>, state: State, handled: Option<Handled>) {
        if self.kept.count(state) as usize >= TOLD_MAX {
            return;
        }
        self.kept.add(state);
        self.told.push(Told {
            at: at.clone(),
            item,
            state,
            handled: handled.filter(|_| state == State::Failed),
        });
    }
}

/// Returns the numbers of the items of an arm; one nothing if it is done once.
fn numbers(arm: &Arm<'_>) -> impl Iterator<Item = Option<u32>> + use<> {
    let count = arm.items.unwrap_or(1);
    let is_once = arm.items.is_none();
    (0..count).map(move |item| (!is_once).then_some(item))
}

fn arm_row(of: &Row, name: &str, rows: Vec<Row>) -> Row {
    let mut sums = Sums::default();
    let mut tally = Tally::default();
    for row in &rows {
        sums.add(row.sums);
        tally.add(row.state);
    }
    Row {
        kind: Kind::Arm,
        name: name.to_owned(),
        path: format!("{}/{name}", of.path),
        head: String::new(),
        node: of.node,
        at: None,
        state: tally.state(),
        tally,
        sums,
        items: None,
        reused: None,
        fell_back: None,
        fault: None,
        rows,
    }
}
