//! A report with made-up numbers in the shape of a real one: every kind of block, a hostile name among them.

use super::super::*;

/// A name as an attacker would choose it.
pub const HOSTILE: &str = "<script>document.title='owned'</script>";

/// Repeatable numbers in 0..1 (a 64-bit linear congruential generator, constants of Knuth's MMIX).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Accuracy against T for three engines and the network they came from.
pub fn accuracy() -> LineChart {
    let steps = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    let soft = [41.3, 78.9, 95.2, 98.4, 98.7, 98.8];
    let fixed = [35.0, 71.6, 92.4, 97.6, 98.2, 98.3];
    let banded = |x: f64, y: f64| Point {
        x,
        y,
        band: Some((y - 90.0 / (x + 14.0), (y + 60.0 / (x + 14.0)).min(99.4))),
    };
    LineChart {
        title: "Accuracy against the number of time steps".into(),
        description: "1,000 test images that the calibration never saw. The band is the 95 % Wilson interval.".into(),
        x: Axis::new("T", "steps").log2(),
        y: Axis::new("accuracy", "%"),
        series: vec![
            Series {
                name: "spiking network (both engines)".into(),
                points: steps.iter().zip(soft).map(|(x, y)| banded(*x, y)).collect(),
            },
            Series::new("fixed point, Loihi 2", steps.into_iter().zip(fixed)),
        ],
        reference_lines: vec![ReferenceLine { label: "ANN".into(), value: 98.8 }],
    }
}

/// 1,642 neurons in three layers over 32 steps.
pub fn raster(share: f64) -> Raster {
    let mut numbers = Numbers(7);
    let mut layers = Vec::new();
    for (name, neurons, rate) in [("conv1", 1152u64, 0.3), ("conv2", 480, 0.2), ("dense", 10, 0.12)]
    {
        let mut spikes = Vec::new();
        for neuron in 0..neurons {
            let own = (numbers.next() - 0.55).max(0.0) * 2.0 * rate * share;
            for step in 1..=32 {
                if numbers.next() < own {
                    spikes.push(Spike { neuron, time: f64::from(step) });
                }
            }
        }
        if name == "dense" {
            spikes.extend((3..=32).map(|step| Spike { neuron: 7, time: f64::from(step) }));
        }
        layers.push(RasterLayer { name: name.into(), neurons, spikes });
    }
    Raster {
        title: "Spikes of one image".into(),
        description: "Every mark is one spike. Read-out neuron 7 fires in nearly every step."
            .into(),
        time: Axis::new("time", "steps"),
        time_step: Some(1.0),
        layers,
    }
}

/// Five used cores of a mesh of 8 × 4 routers with four cores each.
pub fn core_map() -> CoreMap {
    let core = |number: u32, name: &str, neurons, utilisation: [f64; 3]| Core {
        column: number / 4,
        row: 0,
        core: number % 4,
        label: format!("core {number}"),
        populations: vec![CorePopulation { name: name.into(), neurons }],
        facts: Vec::new(),
        utilisation: utilisation.to_vec(),
    };
    let mut cores = vec![
        core(0, "conv1", 576, [0.14, 0.31, 0.56]),
        core(1, "conv1", 576, [0.14, 0.31, 0.56]),
        core(2, "conv2", 240, [0.06, 0.83, 0.42]),
        core(3, "conv2", 240, [0.06, 0.83, 0.42]),
        core(4, "dense", 10, [0.01, 1.04, 0.12]),
    ];
    cores[4].populations.push(CorePopulation { name: HOSTILE.into(), neurons: 2 });
    CoreMap {
        title: "Cores of one Loihi 2".into(),
        description:
            "Each tile is a router with its four cores; each core in use shows how full it is."
                .into(),
        columns: 8,
        rows: 4,
        largest: None,
        population_order: Vec::new(),
        cores_per_router: 4,
        available: None,
        resources: vec!["neurons".into(), "synapse memory".into(), "axons".into()],
        cores,
    }
}

/// Hand-drawn looking strokes on 28 × 28 pixels.
fn picture(label: &str, prediction: &str) -> Picture {
    let segments: &[[f64; 4]] = match label {
        "7" => &[[6.0, 6.0, 21.0, 6.0], [21.0, 6.0, 12.0, 23.0]],
        "1" => &[[15.0, 4.0, 13.0, 24.0]],
        "4" => &[[9.0, 4.0, 6.0, 14.0], [6.0, 14.0, 20.0, 14.0], [18.0, 4.0, 17.0, 24.0]],
        "2" => &[
            [7.0, 8.0, 17.0, 5.0],
            [17.0, 5.0, 19.0, 11.0],
            [19.0, 11.0, 7.0, 23.0],
            [7.0, 23.0, 22.0, 22.0],
        ],
        _ => &[
            [14.0, 4.0, 6.0, 14.0],
            [6.0, 14.0, 14.0, 24.0],
            [14.0, 24.0, 21.0, 14.0],
            [21.0, 14.0, 14.0, 4.0],
        ],
    };
    let mut pixels = Vec::new();
    for row in 0..28 {
        for column in 0..28 {
            let near = segments.iter().map(|[ax, ay, bx, by]| {
                let (px, py) = (f64::from(column) - ax, f64::from(row) - ay);
                let (dx, dy) = (bx - ax, by - ay);
                let along = ((px * dx + py * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
                (px - along * dx).hypot(py - along * dy)
            });
            pixels.push((2.1 - near.fold(f64::MAX, f64::min)).clamp(0.0, 1.0));
        }
    }
    Picture {
        width: 28,
        height: 28,
        pixels,
        label: label.into(),
        prediction: Some(prediction.into()),
        note: String::new(),
    }
}

fn layers() -> Table {
    let row = |name: &str, kind: &str, neurons: usize, weights: usize, rate: f64| {
        vec![name.into(), kind.into(), neurons.into(), weights.into(), rate.into()]
    };
    Table {
        title: "Layers after conversion".into(),
        description: "Batch norms were folded into the layer before them.".into(),
        columns: vec![
            Column::words("layer"),
            Column::words("became"),
            Column::numbers("neurons", "", None),
            Column::numbers("weights", "", None),
            Column::numbers("rate", "spikes/step", Some(3)).with_bars(0.2),
        ],
        rows: vec![
            row("conv1", "convolution 3 × 3, shared kernel", 1152, 80, 0.094),
            row("conv2", "convolution 5 × 5, shared kernel", 480, 2416, 0.061),
            row("dense", "dense", 10, 4810, 0.187),
            row(HOSTILE, "nothing: a hostile name", 0, 0, f64::NAN),
        ],
    }
}

/// The whole sample.
pub fn report() -> Report {
    let figures = KeyFigures {
        figures: vec![
            KeyFigure::new("ANN accuracy", "98.8", "%", "1,000 unseen digits"),
            KeyFigure::new("Spiking, T = 8", "98.4", "%", "0.4 points below the ANN")
                .toned(Tone::Good),
            KeyFigure::new("Loihi 2, T = 8", "97.6", "%", "fixed point, bit-exact emulation")
                .toned(Tone::Good),
            KeyFigure::new("Spikes per image", "2,914", "", "61,200 synaptic operations"),
            KeyFigure::new("Cores", "5", "of 128", "synapse memory binds; one core over budget")
                .toned(Tone::Warning),
        ],
    };
    let rates = BarChart {
        title: "Firing rate per layer".into(),
        description: "Mean over neurons, time steps and images at T = 32.".into(),
        value: Axis::new("rate", "spikes/step"),
        bars: vec![
            Bar::new("conv1", 0.094),
            Bar::new("conv2", 0.061).coloured(1),
            Bar::new("dense", 0.187).coloured(2),
        ],
    };
    let pictures = PictureRow {
        title: "Digits and what the spiking network saw at T = 8".into(),
        description: String::new(),
        pictures: [
            ("7", "7"),
            ("2", "2"),
            ("1", "1"),
            ("0", "0"),
            ("4", "4"),
            ("1", "1"),
            ("4", "9"),
            ("7", "7"),
        ]
        .map(|(label, prediction)| picture(label, prediction))
        .to_vec(),
    };
    Report {
        title: "Handwritten digits, from ONNX to Loihi 2".into(),
        subtitle: "A trained convolutional network, converted to spikes, quantised, mapped to cores and checked.".into(),
        provenance: [
            ("spikeloom", "0.1.0 (2343985)"),
            ("network hash", "9f2c71d05be83a44"),
            ("seed", "42"),
            ("engine", "clock-driven and event-driven, equal spikes"),
            ("chip", "Loihi 2, description 1"),
            ("calibration", "512 images, channel-wise percentile 99.9"),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .to_vec(),
        sections: vec![
            Section::new("summary", "In short", "").with(figures).with(pictures),
            Section::new(
                "accuracy",
                "Accuracy",
                "The spiking network reaches the accuracy of the network it came from within eight time steps. \
                 The fixed-point network for the chip follows half a point below.",
            )
            .with(accuracy())
            .with(layers()),
            Section::new("activity", "Activity", "").with(raster(1.0)).with(rates),
            Section::new("chip", "On the chip", "The mapping was checked independently of the passes that made it.")
                .with(core_map()),
        ],
    }
}
