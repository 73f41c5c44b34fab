//! Nodes without state: matrices, convolutions, pooling, flattening.

use crate::array::Array;
use crate::nir::Padding;

use super::Signal;
use super::state::numbers;

/// Values that one node puts out at most.
const OUTPUT_LIMIT: usize = 1 << 22;

/// `y = W x + b`.
#[derive(Debug)]
pub(super) struct Matrix {
    rows: usize,
    columns: usize,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Matrix {
    pub(super) fn new(weight: &Array, bias: Option<&Array>) -> Result<Self, String> {
        let [rows, columns] = weight.shape[..] else {
            let shape = &weight.shape;
            return Err(format!("weight has shape {shape:?}; only [out, in] is run"));
        };
        // A matrix without columns may claim any number of rows: no value stands behind them.
        if rows > OUTPUT_LIMIT {
            return Err(format!("weight has {rows} rows; at most {OUTPUT_LIMIT} are run"));
        }
        let bias = match bias {
            Some(bias) => numbers("bias", bias)?,
            None => vec![0.0; rows],
        };
        if bias.len() != rows {
            return Err(format!("bias has {} values for {rows} rows", bias.len()));
        }
        Ok(Self { rows, columns, weight: numbers("weight", weight)?, bias })
    }

    pub(super) fn apply(&self, input: &Signal) -> Result<Signal, String> {
        if input.values.is_empty() {
            return Ok(Signal { shape: vec![self.rows], values: self.bias.clone() });
        }
        if input.values.len() != self.columns {
            let (got, columns) = (input.values.len(), self.columns);
            return Err(format!("weight has {columns} columns, but {got} values reach it"));
        }
        let rows = self.weight.chunks_exact(self.columns.max(1)).zip(&self.bias);
        let row = |(row, bias): (&[f64], &f64)| {
            let products = row.iter().zip(&input.values).map(|(weight, x)| weight * x);
            products.sum::<f64>() + bias
        };
        Ok(Signal { shape: vec![self.rows], values: rows.map(row).collect() })
    }
}

/// A cross-correlation of `[channels, height, width]`; of `[channels, length]` with height 1.
#[derive(Debug)]
pub(super) struct Correlation {
    weight: Vec<f64>,
    bias: Vec<f64>,
    /// `[out, in / groups, height, width]`.
    extents: [usize; 4],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: Padding<2>,
    groups: usize,
    one_axis: bool,
    silent_shape: Option<Vec<usize>>,
}

/// Where a window meets the input on one axis.
struct Axis {
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
    out: usize,
}

impl Axis {
    fn new(
        size: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
        padding: Option<usize>,
    ) -> Option<Self> {
        let reach = dilation.checked_mul(kernel.checked_sub(1)?)?;
        let (padding, total) = match padding {
            Some(padding) => (padding, padding.checked_mul(2)?),
            None => (reach / 2, reach),
        };
        let room = size.checked_add(total)?.checked_sub(reach.checked_add(1)?)?;
        Some(Self { size, kernel, stride, dilation, padding, out: room / stride.max(1) + 1 })
    }

    /// Input positions of an output position, with the kernel's.
    fn taps(&self, out: usize) -> impl Iterator<Item = (usize, usize)> {
        let start = out * self.stride;
        (0..self.kernel).filter_map(move |tap| {
            let place = (start + tap * self.dilation).checked_sub(self.padding)?;
            (place < self.size).then_some((tap, place))
        })
    }
}

impl Correlation {
    pub(super) fn new(
        (weight, bias): (&Array, &Array),
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: Padding<2>,
        groups: usize,
    ) -> Result<Self, String> {
        let (extents, one_axis) = match weight.shape[..] {
            [out, ins, height, width] => ([out, ins, height, width], false),
            [out, ins, length] => ([out, ins, 1, length], true),
            _ => return Err(format!("weight has shape {:?}", weight.shape)),
        };
        Ok(Self {
            weight: numbers("weight", weight)?,
            bias: numbers("bias", bias)?,
            extents,
            stride,
            dilation,
            padding,
            groups: groups.max(1),
            one_axis,
            silent_shape: None,
        })
    }

    /// The output for no input at all: the bias, once an input's extents are known.
    pub(super) fn silent(&self) -> Result<Signal, String> {
        let Some(shape) = &self.silent_shape else { return Ok(Signal::default()) };
        let plane = shape.iter().skip(1).product::<usize>().max(1);
        let values = self.bias.iter().flat_map(|&bias| std::iter::repeat_n(bias, plane)).collect();
        Ok(Signal { shape: shape.clone(), values })
    }

    fn axes(&self, height: usize, width: usize) -> Option<[Axis; 2]> {
        let padding = match self.padding {
            Padding::Zeros(zeros) => zeros.map(Some),
            Padding::Valid => [Some(0); 2],
            Padding::Same => [None; 2],
        };
        let axis = |size, axis: usize| {
            let (stride, dilation) = (self.stride[axis], self.dilation[axis]);
            Axis::new(size, self.extents[axis + 2], stride, dilation, padding[axis])
        };
        Some([axis(height, 0)?, axis(width, 1)?])
    }

    pub(super) fn apply(&mut self, input: &Signal) -> Result<Signal, String> {
        let shape = &input.shape;
        let [channels, height, width] = match (shape.as_slice(), self.one_axis) {
            (&[channels, height, width], false) => [channels, height, width],
            (&[channels, length], true) => [channels, 1, length],
            // one channel is taken for a batch of one where the graph states its shapes
            (&[length], true) => [1, 1, length],
            _ => {
                return Err(format!("values of shape {shape:?} reach it; [channels, …] is needed"));
            }
        };
        let [outs, ins, ..] = self.extents;
        if channels != ins * self.groups {
            let needed = ins * self.groups;
            return Err(format!("{channels} channels reach it; weight and groups need {needed}"));
        }
        let [rows, columns] = self.axes(height, width).ok_or_else(|| {
            format!("its window is larger than the padded input of {height} × {width}")
        })?;
        let size = outs.checked_mul(rows.out).and_then(|size| size.checked_mul(columns.out));
        let Some(size) = size.filter(|size| *size <= OUTPUT_LIMIT) else {
            return Err(format!("puts out more than {OUTPUT_LIMIT} values"));
        };
        let mut values = Vec::with_capacity(size);
        for out in 0..outs {
            let first = out / (outs / self.groups).max(1) * ins;
            for row in 0..rows.out {
                for column in 0..columns.out {
                    let mut sum = self.bias.get(out).copied().unwrap_or(0.0);
                    for channel in 0..ins {
                        for (ky, y) in rows.taps(row) {
                            for (kx, x) in columns.taps(column) {
                                let kernel = ((out * ins + channel) * rows.kernel + ky)
                                    * columns.kernel
                                    + kx;
                                let place = ((first + channel) * height + y) * width + x;
                                sum += self.weight[kernel] * input.values[place];
                            }
                        }
                    }
                    values.push(sum);
                }
            }
        }
        let shape = match self.one_axis {
            true => vec![outs, columns.out],
            false => vec![outs, rows.out, columns.out],
        };
        self.silent_shape = Some(shape.clone());
        Ok(Signal { shape, values })
    }
}

/// A sum or mean over windows.
#[derive(Debug)]
pub(super) struct Pool {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    mean: bool,
}

impl Pool {
    pub(super) fn new(
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        mean: bool,
    ) -> Self {
        Self { kernel, stride, padding, mean }
    }

    pub(super) fn apply(&self, input: &Signal) -> Result<Signal, String> {
        let [channels, height, width] = input.shape[..] else {
            if input.values.is_empty() {
                return Ok(Signal::default());
            }
            let shape = &input.shape;
            return Err(format!("values of shape {shape:?} reach it; it needs three axes"));
        };
        let axis = |size, a: usize| {
            Axis::new(size, self.kernel[a], self.stride[a], 1, Some(self.padding[a]))
        };
        let (Some(rows), Some(columns)) = (axis(height, 0), axis(width, 1)) else {
            return Err(format!("its window is larger than the input of {height} × {width}"));
        };
        let scale = match self.mean {
            true => 1.0 / (self.kernel[0] * self.kernel[1]).max(1) as f64,
            false => 1.0,
        };
        let size = channels.checked_mul(rows.out).and_then(|size| size.checked_mul(columns.out));
        let Some(size) = size.filter(|size| *size <= OUTPUT_LIMIT) else {
            return Err(format!("puts out more than {OUTPUT_LIMIT} values"));
        };
        let mut values = Vec::with_capacity(size);
        for channel in 0..channels {
            for row in 0..rows.out {
                for column in 0..columns.out {
                    let mut sum = 0.0;
                    for (_, y) in rows.taps(row) {
                        for (_, x) in columns.taps(column) {
                            sum += input.values[(channel * height + y) * width + x];
                        }
                    }
                    values.push(sum * scale);
                }
            }
        }
        Ok(Signal { shape: vec![channels, rows.out, columns.out], values })
    }
}

/// One operation with a parameter a value, or one for all.
pub(super) fn elementwise(
    name: &str,
    input: &Signal,
    parameters: &[f64],
    apply: impl Fn(f64, f64) -> f64,
) -> Result<Signal, String> {
    if parameters.len() != 1 && !input.values.is_empty() && parameters.len() != input.values.len() {
        let (got, values) = (parameters.len(), input.values.len());
        return Err(format!("{name} has {got} values, but {values} reach it"));
    }
    let parameter = |index: usize| parameters.get(index).or(parameters.first()).copied();
    let values = input.values.iter().enumerate();
    let values = values.map(|(index, &x)| apply(x, parameter(index).unwrap_or(0.0))).collect();
    Ok(Signal { shape: input.shape.clone(), values })
}

/// Joins the axes `start..=end`.
pub(super) fn flatten(input: Signal, start: i64, end: i64) -> Result<Signal, String> {
    let axes = input.shape.len() as i64;
    if axes == 0 {
        return Ok(input);
    }
    let index = |axis: i64| if axis < 0 { axis + axes } else { axis };
    let (start, end) = (index(start), index(end));
    if start < 0 || end >= axes || start > end {
        let shape = &input.shape;
        return Err(format!("axes {start} to {end} are not in the input's shape {shape:?}"));
    }
    let (start, end) = (start as usize, end as usize);
    let joined: usize = input.shape[start..=end].iter().product();
    let mut shape = input.shape[..start].to_vec();
    shape.push(joined);
    shape.extend_from_slice(&input.shape[end + 1..]);
    Ok(Signal { shape, values: input.values })
}
