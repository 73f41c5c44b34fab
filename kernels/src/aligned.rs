//! Arrays that begin at a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the longest vector.
const LINE: usize = 64;

/// Numbers that begin at a cache line: a vector of them never lies across two lines, which would cost two
/// reads.
#[derive(Debug)]
pub struct Aligned<T> {
    numbers: Vec<T>,
    first: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// The same numbers.
    pub fn new(numbers: &[T]) -> Self {
        let size = size_of::<T>().max(1);
        let mut aligned: Vec<T> = Vec::with_capacity(numbers.len() + LINE / size);
        // The memory stays where it is: no more is added than there is room for.
        let first = (LINE - aligned.as_ptr().addr() % LINE) % LINE / size;
        aligned.resize(first, T::default());
        aligned.extend_from_slice(numbers);
        Aligned { numbers: aligned, first }
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        Aligned::new(self)
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.numbers[self.first..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_a_line_also_when_they_are_copied() {
        for length in [0, 1, 16, 1000] {
            let numbers: Vec<u32> = (0..length).collect();
            let aligned = Aligned::new(&numbers);
            for mut aligned in [aligned.clone(), aligned] {
                assert_eq!(aligned.as_ptr().addr() % LINE, 0);
                assert_eq!(aligned.iter().copied().collect::<Vec<u32>>(), numbers);
                aligned.iter_mut().for_each(|number| *number += 1);
                assert_eq!(aligned.first().copied(), numbers.first().map(|number| number + 1));
            }
        }
    }
}
