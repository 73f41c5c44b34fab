//! Graphs under the conventions of frameworks, against what those frameworks recorded.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::PathBuf;

use model_io::array::Array;
use model_io::nir::dialect::{Convention, DIALECTS, find_dialect};
use model_io::nir::run::{GraphRun, RunError, run};
use model_io::nir::verify::platform::{convention_of, platform_of};
use model_io::nir::verify::{NirOutcome, dialect_of, verify_nir_case};
use model_io::nir::{Delay, If, Input, Linear, NirGraph, Output, Scale, Threshold, read};
use model_io::npz::{NpzLimits, read_npz, write_npz};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/nir").join(name)
}

#[test]
fn recordings_of_frameworks_come_back_spike_by_spike() {
    let cases = [
        ("snntorch_leaky", 50 * (12 + 5)),
        ("norse_lif_cuba", 60 * 5),
        ("sinabs_cnn", 40 * (4 * 64 + 6 * 4 + 5)),
    ];
    for (name, values) in cases {
        let path = data(&format!("{name}.nir"));
        let npz = std::fs::read(data(&format!("{name}.npz"))).unwrap();
        let convention = (dialect_of(&path).unwrap().convention)();
        let graph = read(&path).unwrap();
        let outcome = verify_nir_case(&graph, &npz, &convention).unwrap();
        assert_eq!(outcome, NirOutcome::Equal { values, potentials: 0 }, "{name}");
        // Another decay or step gives other spikes: the convention matters.
        if name != "sinabs_cnn" {
            let other = Convention { tau_scale: 3.0 * convention.tau_scale, ..convention };
            let outcome = verify_nir_case(&graph, &npz, &other).unwrap();
            assert!(matches!(outcome, NirOutcome::Differs { .. }), "{name}: {outcome:?}");
        }
    }
}

#[test]
fn potentials_of_a_read_out_agree_in_single_precision_and_spikes_exactly() {
    let convention = Convention::specification(1e-4);
    let graph = read(&data("prim_li.nir")).unwrap();
    let size = GraphRun::new(&graph, &convention).unwrap().input_shape().iter().product();
    let rows: Vec<Vec<f64>> = (0..20_u32).map(|n| vec![f64::from(n % 3); size]).collect();
    let potentials = run(&graph, &convention, &rows, &[]).unwrap()["output"].concat();
    let single = |values: &[f64]| values.iter().map(|v| f64::from(*v as f32)).collect::<Vec<_>>();
    let recorded = |values: Vec<f64>| {
        let array = |values: Vec<f64>| Array::new(vec![20, values.len() / 20], values).unwrap();
        let (x, s) = (array(rows.concat()), array(values));
        let npz = write_npz([("x", &x), ("s", &s)]).unwrap();
        verify_nir_case(&graph, &npz, &convention).unwrap()
    };
    let values = potentials.len() as u64;
    let NirOutcome::Equal { values: compared, potentials: within } = recorded(single(&potentials))
    else {
        panic!("single precision differs")
    };
    assert_eq!(compared, values);
    assert!(within > values / 2, "{within} of {values}");
    let mut other = single(&potentials);
    *other.last_mut().unwrap() *= 1.0001;
    assert!(matches!(recorded(other), NirOutcome::Differs { step: 20, .. }));
    // What is recorded as infinite allows no difference elsewhere.
    let mut endless = single(&potentials);
    endless[0] = f64::INFINITY;
    assert!(matches!(recorded(endless), NirOutcome::Differs { step: 1, neuron: 0, .. }));
}

#[test]
fn a_threshold_in_a_loop_sees_zeros_before_anything_has_reached_it() {
    let convention = Convention::specification(1e-4);
    let mut graph = NirGraph::default();
    let one = |value: f64| Array::vector(vec![value; 2]);
    graph.add_node("input", Input { shape: vec![2] });
    graph.add_node("layer", If { r: one(1.0), v_threshold: one(0.5), v_reset: one(0.0) });
    graph.add_node("passes", Threshold { threshold: Array::vector(vec![0.5, -0.5]) });
    graph.add_node("back", Scale { scale: one(-0.25) });
    graph.add_node("output", Output { shape: vec![2] });
    for (source, target) in
        [("input", "layer"), ("layer", "passes"), ("passes", "back"), ("back", "layer")]
    {
        graph.add_edge(source, target);
    }
    graph.add_edge("passes", "output");
    let rows = run(&graph, &convention, &vec![vec![1.0, 1.0]; 3], &[]).unwrap();
    // The second neuron passes what is above -0.5, zeros too.
    assert_eq!(rows["output"], [[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]]);
}

/// What a framework was told to do and no file says: the dialect's variant of that name, or its own
/// conventions where it has no name.
#[test]
fn recordings_with_what_no_file_says_come_back_with_the_dialects_variant() {
    for (name, said) in [
        ("nengo_lif", ""),
        ("norse_lif_read", "read"),
        ("norse_mixed_read", "read"),
        ("spyx_lif", "dt=1e-4"),
        ("spyx_rlif", "dt=1e-4"),
        ("spyx_cubalif", "dt=1e-4"),
        ("rockpool_many", ""),
        ("rockpool_one", "max_spikes_per_dt=1"),
        ("sinabs_lif", ""),
        ("sinabs_single", "norm_input=False, spike_fn=SingleSpike"),
        ("snntorch_held", "reset_delay=False"),
        ("snntorch_next", "reset_mechanism=\"subtract\""),
        ("snntorch_zero_next", "\"zero\""),
        ("snntorch_none", "\"none\""),
    ] {
        let path = data(&format!("{name}.nir"));
        let npz = std::fs::read(data(&format!("{name}.npz"))).unwrap();
        let dialect = dialect_of(&path).unwrap();
        let graph = read(&path).unwrap();
        let own = verify_nir_case(&graph, &npz, &(dialect.convention)()).unwrap();
        if said.is_empty() {
            assert!(matches!(own, NirOutcome::Equal { .. }), "{name}: {own:?}");
            continue;
        }
        assert!(matches!(own, NirOutcome::Differs { .. }), "{name}: {own:?}");
        // Nothing but this variant gives the recorded spikes.
        for (what, convention) in dialect.variants {
            let found = verify_nir_case(&graph, &npz, &convention()).unwrap();
            let equal = matches!(found, NirOutcome::Equal { .. });
            let first = dialect.variants.iter().find(|(what, _)| what.contains(said)).unwrap().0;
            assert_eq!(equal, *what == first, "{name} with {what}: {found:?}");
        }
    }
}

/// Steps in which a column of a recording is 1.
fn steps(column: &[f64]) -> Vec<usize> {
    column.iter().enumerate().filter(|(_, spike)| **spike != 0.0).map(|(step, _)| step).collect()
}

#[test]
fn the_papers_neuron_spikes_when_each_framework_says() {
    let limits = NpzLimits { array_bytes: 1 << 20, total_bytes: 1 << 20, arrays: 16 };
    let arrays = read_npz(&std::fs::read(data("paper_lif.npz")).unwrap(), limits).unwrap();
    let column = |name: &str| {
        let found = arrays.iter().find(|(found, _)| found.as_str() == name).unwrap();
        found.1.values.to_f64().unwrap()
    };
    let graph = read(&data("paper_lif_norse.nir")).unwrap();
    let input: Vec<Vec<f64>> = column("x").into_iter().map(|x| vec![x]).collect();
    for recorded in ["exact", "snntorch", "nengo", "lava_cpu_float", "spyx"] {
        let platform = platform_of(&PathBuf::from(format!("lif_{recorded}.csv"))).unwrap();
        let convention = convention_of(platform).unwrap();
        let rows = run(&graph, &convention, &input, &[]).unwrap();
        let ours: Vec<f64> = rows["output"].iter().map(|row| row[0]).collect();
        assert_eq!(steps(&ours), steps(&column(recorded)), "{recorded}");
    }
    // Norse of that time wrote its time constants in seconds.
    let norse = (find_dialect("norse").unwrap().convention)();
    let norse = Convention { dt: 1e-4, tau_scale: 1.0, ..norse };
    let rows = run(&graph, &norse, &input, &[]).unwrap();
    let ours: Vec<f64> = rows["output"].iter().map(|row| row[0]).collect();
    assert_eq!(steps(&ours), [460, 510, 710, 760]);
}

#[test]
fn a_loop_in_a_sub_graph_runs_as_the_same_loop_laid_flat() {
    let convention = Convention::specification(1e-3);
    let input: Vec<Vec<f64>> =
        (0..60).map(|t| (0..3).map(|i| f64::from((t * 7 + i * 5) % 11) * 4.0).collect()).collect();
    let rows = ["recurrent_flat.nir", "recurrent_subgraph.nir"].map(|name| {
        run(&read(&data(name)).unwrap(), &convention, &input, &[]).unwrap()["output"].clone()
    });
    assert_eq!(rows[0], rows[1]);
    assert!(rows[0].iter().flatten().any(|spike| *spike != 0.0), "nothing spiked");
}

#[test]
fn every_primitive_runs() {
    for entry in std::fs::read_dir(data("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("prim_") || !name.ends_with(".nir") {
            continue;
        }
        let graph = read(&path).unwrap();
        let convention = Convention::specification(1e-3);
        let size = model_io::nir::run::GraphRun::new(&graph, &convention).unwrap();
        let size: usize = size.input_shape().iter().product();
        let rows = run(&graph, &convention, &vec![vec![1.0; size]; 5], &[]).unwrap();
        let output = rows["output"].last().unwrap();
        assert!(!output.is_empty() && output.iter().all(|value| value.is_finite()), "{name}");
    }
}

fn vector(values: &[f32]) -> Array {
    Array::vector(values.to_vec())
}

/// input -> linear (2) -> delay (0, 2 steps) -> IF -> output.
fn delayed() -> NirGraph {
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: vec![1] });
    let weight = Array::new(vec![2, 1], vec![1.0_f32, 1.0]).unwrap();
    graph.add_node("wires", Linear { weight });
    graph.add_node("delay", Delay { delay: vector(&[0.0, 2e-3]) });
    let zero = vector(&[0.0, 0.0]);
    let neurons = If { r: vector(&[2.0, 2.0]), v_threshold: vector(&[1.0, 1.0]), v_reset: zero };
    graph.add_node("if", neurons);
    graph.add_node("output", Output { shape: vec![2] });
    for (from, to) in [("input", "wires"), ("wires", "delay"), ("delay", "if"), ("if", "output")] {
        graph.add_edge(from, to);
    }
    graph
}

#[test]
fn delays_are_counted_in_steps_of_the_convention() {
    let input: Vec<Vec<f64>> = (0..5).map(|t| vec![f64::from(u8::from(t == 0))]).collect();
    let rows = run(&delayed(), &Convention::specification(1e-3), &input, &[]).unwrap();
    let expected = [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]];
    assert_eq!(rows["output"], expected.map(|row| row.to_vec()));
}

#[test]
fn what_cannot_be_run_is_explained_with_its_place() {
    let convention = Convention::specification(1e-3);
    let message = |graph: &NirGraph, width: usize| {
        run(graph, &convention, &[vec![0.0; width]], &[]).unwrap_err().to_string()
    };
    assert!(message(&delayed(), 3).contains("step 0 of the input has 3 values"));
    let mut graph = delayed();
    graph.add_node("delay", Delay { delay: vector(&[-1.0, 1e9]) });
    assert!(message(&graph, 1).contains("node `delay` (Delay)"));
    let mut graph = delayed();
    graph.add_node("delay", Scale { scale: vector(&[1.0, 1.0, 1.0]) });
    assert!(message(&graph, 1).contains("scale has 3 values, but 2"));
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: vec![1] });
    graph.add_node("a", Scale { scale: vector(&[1.0]) });
    graph.add_node("output", Output { shape: vec![1] });
    for (from, to) in [("input", "a"), ("a", "a"), ("a", "output")] {
        graph.add_edge(from, to);
    }
    assert!(message(&graph, 1).contains("form a loop"));
    let wrong = Convention { dt: 0.0, ..convention };
    let error = run(&delayed(), &wrong, &[], &[]).unwrap_err();
    assert!(matches!(error, RunError::Convention { .. }), "{error}");
    let named = |name: &str| dialect_of(std::path::Path::new(name)).map(|dialect| dialect.name);
    assert_eq!(named("paper_lif_norse.nir"), Some("norse"));
    assert_eq!((named("sinabs_cnn.nir"), named("prim_lif.nir")), (Some("sinabs"), None));
}

#[test]
fn dialects_have_names_of_their_own_and_state_everything() {
    for (index, dialect) in DIALECTS.iter().enumerate() {
        assert!(DIALECTS[..index].iter().all(|other| other.name != dialect.name));
        let convention = (dialect.convention)();
        assert!(convention.dt > 0.0 && !dialect.evidence.is_empty());
        assert!(
            convention.to_string().contains(&format!("dt {:e}", convention.dt)),
            "{convention}"
        );
    }
}
