//! State as columns: taken from the parts of an engine, put together, and cut for other parts.

use super::{CheckpointError, Numbers};
use crate::neuron::{Over, StateVisitor};
use crate::time::Time;
use std::ops::Range;

/// One column of state.
#[derive(Debug, Clone)]
struct Column {
    over: Over,
    /// Whether it holds the lengths of lists.
    lists: bool,
    numbers: Numbers,
}

/// The columns of some neurons or synapses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns(Vec<Column>);

/// What of the whole a part has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Share {
    /// Its neurons (targets), among those of the population.
    pub(crate) neurons: Range<usize>,
    /// The synapses of each segment, among those of the projection.
    pub(crate) synapses: Vec<Range<usize>>,
    /// Neurons and synapses of the whole.
    pub(crate) whole: [usize; 2],
}

/// Runs a call for the numbers of each type.
macro_rules! each {
    ($numbers:expr, $n:ident => $call:expr) => {
        match $numbers {
            Numbers::F64($n) => Numbers::F64($call),
            Numbers::F32($n) => Numbers::F32($call),
            Numbers::U32($n) => Numbers::U32($call),
            Numbers::U64($n) => Numbers::U64($call),
            Numbers::I64($n) => Numbers::I64($call),
            Numbers::I32($n) => Numbers::I32($call),
        }
    };
}

impl Numbers {
    fn same_type(&self, other: &Numbers) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The numbers at these places, one after another; empty where one is not there.
    fn pick(&self, places: &[Range<usize>]) -> Numbers {
        fn of<T: Copy>(numbers: &[T], places: &[Range<usize>]) -> Vec<T> {
            places
                .iter()
                .flat_map(|p| numbers.get(p.clone()).unwrap_or_default())
                .copied()
                .collect()
        }
        each!(self, n => of(n, places))
    }

    fn append(&mut self, other: &Numbers) {
        match (self, other) {
            (Numbers::F64(a), Numbers::F64(b)) => a.extend_from_slice(b),
            (Numbers::F32(a), Numbers::F32(b)) => a.extend_from_slice(b),
            (Numbers::U32(a), Numbers::U32(b)) => a.extend_from_slice(b),
            (Numbers::U64(a), Numbers::U64(b)) => a.extend_from_slice(b),
            (Numbers::I64(a), Numbers::I64(b)) => a.extend_from_slice(b),
            (Numbers::I32(a), Numbers::I32(b)) => a.extend_from_slice(b),
            // Parts of one population have the same columns.
            _ => {}
        }
    }
}

impl Columns {
    /// The columns of a whole from those of its parts, which are ordered by neuron.
    pub(crate) fn join(parts: &[(Columns, Share)]) -> Columns {
        let Some((first, _)) = parts.first() else {
            return Columns::default();
        };
        let joined = first.0.iter().enumerate().map(|(index, column)| {
            let of = |part: &'_ (Columns, Share)| part.0.0[index].numbers.clone();
            let numbers = match column.over {
                Over::Segments | Over::Shared => column.numbers.clone(),
                Over::Neurons | Over::Items => {
                    let mut numbers = column.numbers.clone();
                    parts[1..].iter().for_each(|part| numbers.append(&of(part)));
                    numbers
                }
                Over::Synapses => {
                    let places: Vec<Vec<usize>> = parts.iter().map(|p| p.1.starts()).collect();
                    let mut numbers = column.numbers.pick(&[]);
                    for segment in 0..parts[0].1.synapses.len() {
                        for (part, starts) in parts.iter().zip(&places) {
                            let own = starts[segment]..starts[segment + 1];
                            numbers.append(&part.0.0[index].numbers.pick(&[own]));
                        }
                    }
                    numbers
                }
            };
            Column { numbers, ..*column }
        });
        Columns(joined.collect())
    }

    /// The numbers of all columns in order.
    pub(crate) fn into_numbers(self) -> impl Iterator<Item = Numbers> {
        self.0.into_iter().map(|column| column.numbers)
    }

    /// How many columns there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Cuts saved columns of a whole into the share of a part that has such columns as `self`.
    ///
    /// # Errors
    /// (index of the column, what is wrong with it).
    pub(crate) fn cut(
        &self,
        whole: &[&Numbers],
        share: &Share,
    ) -> Result<Vec<Numbers>, (usize, String)> {
        let mut cut = Vec::with_capacity(whole.len());
        // Items of the lists whose lengths came last: those of the part, and of all.
        let mut items = (0..0, 0);
        for (index, (own, saved)) in self.0.iter().zip(whole).enumerate() {
            if !own.numbers.same_type(saved) {
                let (found, needed) = (saved.type_name(), own.numbers.type_name());
                return Err((index, format!("it has the type {found}, not {needed}")));
            }
            if let (true, Numbers::U32(lengths)) = (own.lists, saved) {
                let sum = |lengths: &[u32]| lengths.iter().map(|&n| n as usize).sum::<usize>();
                let range = if own.over == Over::Shared { 0..1 } else { share.neurons.clone() };
                let before = sum(lengths.get(..range.start).unwrap_or_default());
                let mine = sum(lengths.get(range).unwrap_or_default());
                items = (before..before + mine, sum(lengths));
                // Room is made for so many items: they must be there.
                let next = whole.get(index + 1).map_or(0, |next| next.len());
                if next != items.1 {
                    return Err((index, format!("lists of {} items, {next} are there", items.1)));
                }
            }
            let (numbers, expected) = match own.over {
                Over::Segments | Over::Shared => ((*saved).clone(), None),
                Over::Neurons => {
                    (saved.pick(std::slice::from_ref(&share.neurons)), Some(share.whole[0]))
                }
                Over::Items => (saved.pick(std::slice::from_ref(&items.0)), Some(items.1)),
                Over::Synapses => (saved.pick(&share.synapses), Some(share.whole[1])),
            };
            if let Some(expected) = expected.filter(|&expected| expected != saved.len()) {
                return Err((index, format!("{} numbers, not {expected}", saved.len())));
            }
            cut.push(numbers);
        }
        Ok(cut)
    }
}

impl Share {
    /// Where the synapses of each of the part's segments begin among its own, and the end.
    fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0];
        starts.extend(self.synapses.iter().scan(0, |sum, segment| {
            *sum += segment.len();
            Some(*sum)
        }));
        starts
    }
}

/// Takes columns.
#[derive(Debug)]
pub(crate) struct Saver {
    over: Over,
    /// Neurons of the part: more values of a column are padding.
    neurons: usize,
    columns: Columns,
}

impl Saver {
    pub(crate) fn new(neurons: usize) -> Self {
        Saver { over: Over::Neurons, neurons, columns: Columns::default() }
    }

    pub(crate) fn columns(self) -> Columns {
        self.columns
    }

    fn most(&self) -> usize {
        if self.over == Over::Neurons { self.neurons } else { usize::MAX }
    }

    fn push(&mut self, numbers: Numbers, lists: bool) {
        self.columns.0.push(Column { over: self.over, lists, numbers });
    }
}

impl StateVisitor for Saver {
    fn over(&mut self, over: Over) {
        self.over = over;
    }

    fn reals(&mut self, column: &mut dyn Iterator<Item = &mut f64>) {
        self.push(Numbers::F64(column.take(self.most()).map(|x| *x).collect()), false);
    }

    fn singles(&mut self, column: &mut dyn Iterator<Item = &mut f32>) {
        self.push(Numbers::F32(column.take(self.most()).map(|x| *x).collect()), false);
    }

    fn counts(&mut self, column: &mut dyn Iterator<Item = &mut u32>) {
        self.push(Numbers::U32(column.take(self.most()).map(|x| *x).collect()), false);
    }

    fn lengths(&mut self, column: &mut dyn Iterator<Item = &mut u32>) {
        self.push(Numbers::U32(column.map(|x| *x).collect()), true);
    }

    fn steps(&mut self, column: &mut dyn Iterator<Item = &mut u64>) {
        self.push(Numbers::U64(column.take(self.most()).map(|x| *x).collect()), false);
    }

    fn times(&mut self, column: &mut dyn Iterator<Item = &mut Time>) {
        self.push(Numbers::I64(column.take(self.most()).map(|x| x.0).collect()), false);
    }
}

/// Puts columns back, in the order in which they were taken.
#[derive(Debug)]
pub(crate) struct Loader {
    columns: std::vec::IntoIter<Numbers>,
    /// The step reached: nothing happened later.
    step: u64,
    over: Over,
    /// Neurons of the part: more values of a column are padding and stay.
    neurons: usize,
    index: usize,
    problem: Option<(usize, String)>,
}

/// Times further than this from zero are no state of a neuron; sums of them do not overflow.
const FARTHEST: i64 = i64::MAX / 2 + 1;

/// Whether a time is that of no run: not from zero on, nor a mark of what has never happened or never will.
/// A neuron that was last looked at years before its run would spike ever since.
fn is_far(time: i64) -> bool {
    let marks = [-FARTHEST, Time::NEVER.0];
    !(0..FARTHEST).contains(&time) && !marks.contains(&time)
}

impl Loader {
    pub(crate) fn new(columns: Vec<Numbers>, neurons: usize, step: u64) -> Self {
        let (over, columns) = (Over::Neurons, columns.into_iter());
        Loader { columns, step, over, neurons, index: 0, problem: None }
    }

    /// What was wrong, if anything: (index of the column, what).
    pub(crate) fn problem(self) -> Option<(usize, String)> {
        let rest = self.columns.len();
        let left = (rest > 0).then(|| (self.index, format!("{rest} columns too many")));
        self.problem.or(left)
    }

    fn fail(&mut self, reason: String) {
        self.problem.get_or_insert((self.index, reason));
    }

    fn fill<'a, T: 'a, U>(
        &mut self,
        column: &mut dyn Iterator<Item = &'a mut T>,
        numbers: Vec<U>,
        convert: impl Fn(U) -> T,
    ) {
        let mut column = column.take(match self.over {
            Over::Neurons => self.neurons,
            _ => usize::MAX,
        });
        let count = numbers.len();
        let mut filled = 0;
        for (value, number) in column.by_ref().zip(numbers) {
            *value = convert(number);
            filled += 1;
        }
        if filled != count || column.next().is_some() {
            self.fail(format!("{count} numbers, not as many as belong there"));
        }
        self.index += 1;
    }
}

/// The next column, if it has this type.
macro_rules! next {
    ($loader:ident, $variant:ident) => {
        match $loader.columns.next() {
            Some(Numbers::$variant(numbers)) => numbers,
            _ => {
                $loader.fail("a column is missing or has another type".to_string());
                return;
            }
        }
    };
}

impl StateVisitor for Loader {
    fn over(&mut self, over: Over) {
        self.over = over;
    }

    fn reals(&mut self, column: &mut dyn Iterator<Item = &mut f64>) {
        let numbers = next!(self, F64);
        self.fill(column, numbers, |x| x);
    }

    fn singles(&mut self, column: &mut dyn Iterator<Item = &mut f32>) {
        let numbers = next!(self, F32);
        self.fill(column, numbers, |x| x);
    }

    fn counts(&mut self, column: &mut dyn Iterator<Item = &mut u32>) {
        let numbers = next!(self, U32);
        self.fill(column, numbers, |x| x);
    }

    fn lengths(&mut self, column: &mut dyn Iterator<Item = &mut u32>) {
        // That the items are there was checked when the columns were cut.
        self.counts(column);
    }

    fn steps(&mut self, column: &mut dyn Iterator<Item = &mut u64>) {
        let numbers = next!(self, U64);
        if let Some(late) = numbers.iter().find(|&&step| step > self.step) {
            self.fail(format!("step {late} is later than the checkpoint"));
            return;
        }
        self.fill(column, numbers, |x| x);
    }

    fn times(&mut self, column: &mut dyn Iterator<Item = &mut Time>) {
        let numbers = next!(self, I64);
        if let Some(far) = numbers.iter().find(|&&time| is_far(time)) {
            self.fail(format!("{far} fs is no time of a run"));
            return;
        }
        self.fill(column, numbers, Time);
    }
}

impl CheckpointError {
    /// What is wrong with a column of a family of sections.
    pub(crate) fn column(family: &str, (index, reason): (usize, String)) -> Self {
        CheckpointError::wrong(&format!("{family}/{index}"), reason)
    }
}
