//! An architecture as the file that describes it.

use std::fmt;

use super::{Architecture, Geometry, Layer, Padding};

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(input) = &self.input {
            writeln!(f, "input = {input:?}")?;
        }
        writeln!(f, "layers = [")?;
        for layer in &self.layers {
            writeln!(f, "  {layer},")?;
        }
        writeln!(f, "]")?;
        if !self.ignore.is_empty() {
            writeln!(f, "ignore = {:?}", self.ignore)?;
        }
        Ok(())
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Convolution { tensors, geometry, groups } => {
                write!(f, "{{ conv = {tensors:?}")?;
                options(f, geometry, [1, 1])?;
                if *groups != 1 {
                    write!(f, ", groups = {groups}")?;
                }
                f.write_str(" }")
            }
            Layer::Linear { tensors } => write!(f, "{{ linear = {tensors:?} }}"),
            Layer::BatchNorm { tensors, epsilon } => {
                write!(f, "{{ batch_norm = {tensors:?}, epsilon = {epsilon:?} }}")
            }
            Layer::Relu => f.write_str("\"relu\""),
            Layer::Clip { limits: [low, high] } => write!(f, "{{ clip = [{low:?}, {high:?}] }}"),
            Layer::LeakyRelu { slope } => write!(f, "{{ leaky_relu = {slope:?} }}"),
            Layer::ParametricRelu { tensors } => write!(f, "{{ prelu = {tensors:?} }}"),
            Layer::MaxPool { geometry, ceil_mode } => {
                write!(f, "{{ max_pool = {:?}", geometry.kernel)?;
                options(f, geometry, geometry.kernel)?;
                f.write_str(if *ceil_mode { ", ceil_mode = true }" } else { " }" })
            }
            Layer::AveragePool { geometry, ceil_mode, count_include_pad } => {
                write!(f, "{{ avg_pool = {:?}", geometry.kernel)?;
                options(f, geometry, geometry.kernel)?;
                if !count_include_pad {
                    f.write_str(", count_include_pad = false")?;
                }
                f.write_str(if *ceil_mode { ", ceil_mode = true }" } else { " }" })
            }
            Layer::GlobalAveragePool => f.write_str("\"global_avg_pool\""),
            Layer::Flatten => f.write_str("\"flatten\""),
            Layer::Reshape { shape } => write!(f, "{{ reshape = {shape:?} }}"),
            Layer::Pad { cells } => write!(f, "{{ pad = {cells:?} }}"),
            Layer::Dropout => f.write_str("\"dropout\""),
            Layer::Softmax => f.write_str("\"softmax\""),
            Layer::LogSoftmax => f.write_str("\"log_softmax\""),
            Layer::Sigmoid => f.write_str("\"sigmoid\""),
            Layer::Residual { body, shortcut } => {
                write!(f, "{{ residual = {}", List(body))?;
                if !shortcut.is_empty() {
                    write!(f, ", shortcut = {}", List(shortcut))?;
                }
                f.write_str(" }")
            }
            Layer::Concat { branches } => {
                f.write_str("{ concat = [")?;
                for (number, branch) in branches.iter().enumerate() {
                    write!(f, "{}{}", if number > 0 { ", " } else { "" }, List(branch))?;
                }
                f.write_str("] }")
            }
        }
    }
}

struct List<'a>(&'a [Layer]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (number, layer) in self.0.iter().enumerate() {
            write!(f, "{}{layer}", if number > 0 { ", " } else { "" })?;
        }
        f.write_str("]")
    }
}

fn options(f: &mut fmt::Formatter<'_>, geometry: &Geometry, stride: [usize; 2]) -> fmt::Result {
    if geometry.stride != stride {
        write!(f, ", stride = {:?}", geometry.stride)?;
    }
    match geometry.padding {
        Padding::Cells([0, 0, 0, 0]) => {}
        Padding::Cells(cells) => write!(f, ", padding = {cells:?}")?,
        Padding::Same => f.write_str(", padding = \"same\"")?,
    }
    if geometry.dilation != [1, 1] {
        write!(f, ", dilation = {:?}", geometry.dilation)?;
    }
    Ok(())
}
