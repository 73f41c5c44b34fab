//! Numbers of the neurons of a population.

/// A number for all neurons of a population, or one each.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The same for all.
    One(f64),
    /// One each.
    Each(Vec<f64>),
}

impl Column {
    /// The number of neuron `index`; of the last neuron beyond the end.
    pub fn get(&self, index: usize) -> f64 {
        match self {
            Column::One(value) => *value,
            Column::Each(values) => {
                values.get(index).or(values.last()).copied().unwrap_or(f64::NAN)
            }
        }
    }

    /// The numbers of `range` neurons as a plain vector.
    pub fn expand(&self, range: std::ops::Range<usize>) -> Vec<f64> {
        range.map(|index| self.get(index)).collect()
    }

    /// The column of a part of the neurons.
    pub fn part(&self, range: std::ops::Range<usize>) -> Column {
        match self {
            Column::One(value) => Column::One(*value),
            Column::Each(_) => Column::Each(self.expand(range)),
        }
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        match self {
            Column::One(_) => 0,
            Column::Each(values) => bytes_of(values),
        }
    }

    /// All numbers it holds.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Column::One(value) => std::slice::from_ref(value),
            Column::Each(values) => values,
        }
    }

    /// The same column with every number replaced.
    #[must_use]
    pub fn map(&self, mut f: impl FnMut(f64) -> f64) -> Column {
        match self {
            Column::One(value) => Column::One(f(*value)),
            Column::Each(values) => Column::Each(values.iter().map(|&value| f(value)).collect()),
        }
    }
}

/// Bytes of a list.
pub(crate) fn bytes_of<T>(list: &[T]) -> u64 {
    size_of_val(list) as u64
}
