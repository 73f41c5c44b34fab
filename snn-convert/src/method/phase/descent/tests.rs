use super::errors;
use super::network::Network;
use super::steps::Steps;
use crate::ann::operator::window::Window;
use crate::ann::operator::{Convolution, Dense, Flatten, MaxPool, Relu};
use crate::ann::{AnnGraphBuilder, Operator, SampleShape};
use crate::declutter::declutter;
use crate::method::phase::ChannelCode;
use crate::structure::{Structure, UnitKind, structure};

/// What finite differences in single precision may be off by, as a part of the largest derivative.
const DIFFERENCES: f32 = 0.02;

fn numbers(count: usize, step: f64) -> Vec<f32> {
    (0..count).map(|n| (n as f64 * step).sin() as f32).collect()
}

fn codes(structure: &Structure, level: f64, cost: f64) -> Vec<Vec<ChannelCode>> {
    let largest = (1 << 20) - 1;
    let code = ChannelCode { level, cost, largest, phases: 20 };
    let of = |unit: &crate::structure::Unit| match unit.kind {
        UnitKind::Rectifier { .. } => vec![code; unit.shape.channels()],
        _ => Vec::new(),
    };
    structure.units.iter().map(of).collect()
}

fn chain() -> Structure {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("in", SampleShape::new([6]).unwrap()).unwrap();
    let dense = |outputs: usize, inputs: usize, step: f64| {
        let (weight, bias) = (numbers(outputs * inputs, step), Some(numbers(outputs, 2.0 * step)));
        Operator::Dense(Dense { weight, bias, outputs, inputs })
    };
    let first = builder.add("a", dense(8, 6, 0.7), &[input]).unwrap();
    let first = builder.add("ra", Operator::Relu(Relu), &[first]).unwrap();
    let second = builder.add("b", dense(5, 8, 1.3), &[first]).unwrap();
    let second = builder.add("rb", Operator::Relu(Relu), &[second]).unwrap();
    let last = builder.add("c", dense(3, 5, 0.9), &[second]).unwrap();
    let graph = declutter(&builder.finish(&[last]).unwrap()).unwrap().graph;
    structure(&graph).unwrap()
}

/// A convolution, a maximum, and scores.
fn with_maximum() -> Structure {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("in", SampleShape::new([1, 6, 6]).unwrap()).unwrap();
    let window = Window::new([3, 3], [1, 1]);
    let (weight, bias) = (numbers(18, 0.7), Some(vec![0.1, 0.2]));
    let first = Convolution { weight, bias, channels: 2, window, groups: 1 };
    let first = builder.add("a", Operator::Convolution(first), &[input]).unwrap();
    let first = builder.add("ra", Operator::Relu(Relu), &[first]).unwrap();
    let pool = MaxPool { window: Window::new([2, 2], [2, 2]) };
    let pool = builder.add("p", Operator::MaxPool(pool), &[first]).unwrap();
    let flat = builder.add("f", Operator::Flatten(Flatten), &[pool]).unwrap();
    let last = Dense { weight: numbers(24, 0.9), bias: None, outputs: 3, inputs: 8 };
    let last = builder.add("c", Operator::Dense(last), &[flat]).unwrap();
    let graph = declutter(&builder.finish(&[last]).unwrap()).unwrap().graph;
    structure(&graph).unwrap()
}

fn error(network: &Network, sample: &[f32], wanted: &[f32]) -> f32 {
    let shown = network.show(sample);
    let off: Vec<f32> = shown.sent.last().unwrap().iter().zip(wanted).map(|(s, t)| s - t).collect();
    let mean = off.iter().sum::<f32>() / off.len() as f32;
    off.iter().map(|off| (off - mean).powi(2)).sum()
}

#[test]
fn derivatives_are_those_of_fine_levels() {
    check_derivatives(&chain(), 6);
    check_derivatives(&with_maximum(), 36);
}

fn check_derivatives(structure: &Structure, inputs: usize) {
    let network = Network::new(structure, &codes(structure, 1e-5, 0.0));
    let (sample, wanted) = (numbers(inputs, 0.37), [0.3, -0.4, 0.2]);
    let shown = network.show(&sample);
    let mut slopes = network.no_slopes();
    let scores = errors(shown.sent.last().unwrap(), &wanted);
    network.walk_back(&sample, &shown, scores, 0.0, &mut slopes);
    let largest = slopes.weights.iter().flatten().flatten().fold(0.0_f32, |m, s| m.max(s.abs()));
    assert!(largest > 0.1);
    let step = 2e-3;
    let check = |moved: &dyn Fn(&mut Network, f32), found: f32| {
        let value = |by: f32| {
            let mut network = network.clone();
            moved(&mut network, by);
            error(&network, &sample, &wanted)
        };
        let differed = (value(step) - value(-step)) / (2.0 * step);
        assert!((differed - found).abs() < DIFFERENCES * largest, "{differed} {found}");
    };
    for (layer, (weights, biases)) in slopes.weights.iter().zip(&slopes.bias).enumerate() {
        if !network.layers[layer].moves() {
            continue;
        }
        for (weight, &found) in weights[0].iter().enumerate() {
            let moved = |network: &mut Network, by: f32| {
                network.layers[layer].branches[0].1.weights[weight] += by;
            };
            check(&moved, found);
        }
        for (channel, &found) in biases.iter().enumerate() {
            let moved =
                |network: &mut Network, by: f32| network.layers[layer].add_bias(channel, by);
            check(&moved, found);
        }
    }
}

#[test]
fn steps_lower_the_error_and_the_price_lowers_spikes() {
    let structure = chain();
    let samples: Vec<Vec<f32>> = (0..16).map(|n| numbers(6, 0.3 + 0.1 * f64::from(n))).collect();
    let trained = Network::new(&structure, &codes(&structure, 1e-5, 0.0));
    let wanted: Vec<Vec<f32>> =
        samples.iter().map(|own| trained.show(own).sent.last().unwrap().clone()).collect();
    let descended = |price: f32| {
        let mut network = Network::new(&structure, &codes(&structure, 0.3, 0.5));
        let total = |network: &Network| {
            samples.iter().zip(&wanted).map(|(own, t)| error(network, own, t)).sum::<f32>()
        };
        let before = total(&network);
        let mut steps = Steps::new(&network, &[0.7; 3]);
        for step in 0..200 {
            let mut slopes = network.no_slopes();
            for (own, wanted) in samples.iter().zip(&wanted) {
                let shown = network.show(own);
                let scores = errors(shown.sent.last().unwrap(), wanted);
                network.walk_back(own, &shown, scores, price, &mut slopes);
            }
            steps.take(&mut network, &[slopes], step as f32 / 200.0);
        }
        let sent = |own: &Vec<f32>| {
            let shown = network.show(own);
            shown.sent[..2].iter().flatten().filter(|&&sent| sent > 0.0).count()
        };
        (before, total(&network), samples.iter().map(sent).sum::<usize>())
    };
    let (before, after, sent) = descended(0.0);
    assert!(after < 0.7 * before, "{after} {before}");
    let (_, _, fewer) = descended(0.3);
    assert!(fewer < sent, "{fewer} {sent}");
}

#[test]
fn errors_leave_out_what_changes_no_answer() {
    assert_eq!(errors(&[3.0, 2.0], &[1.0, 0.0]), [0.0, 0.0]);
    assert_eq!(errors(&[2.0, 0.0], &[1.0, 1.0]), [2.0, -2.0]);
    // A single score stands against a silent one.
    assert_eq!(errors(&[2.0], &[1.0]), [1.0]);
    assert_eq!(errors(&[2.0], &[]), [0.0]);
}
