//! Damaged NIR files: reading, ordering and describing them ends with an error, never with a panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::PathBuf;

use model_io::array::Array;
use model_io::nir::dialect::Convention;
use model_io::nir::run::GraphRun;
use model_io::nir::to_network::{NirReading, to_network};
use model_io::nir::{Input, Linear, NirGraph, Output, read};

/// Damaged copies of each file.
const COPIES: u64 = 60;

fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

/// Replaces, cuts or doubles a few bytes.
fn damage(bytes: &[u8], seed: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + next(seed) % 6 {
        let place = next(seed) % bytes.len();
        match next(seed) % 5 {
            0 => bytes[place] = 0xff,
            1 => bytes[place] = bytes[place].wrapping_add(1),
            2 => bytes.truncate(place.max(1)),
            3 => {
                let end = (place + 8).min(bytes.len());
                bytes[place..end].fill((next(seed) % 256) as u8);
            }
            _ => bytes[place] ^= 1 << (next(seed) % 8),
        }
    }
    bytes
}

#[test]
fn damaged_graphs_end_with_an_error_or_a_graph() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/nir");
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("damaged.nir");
    let convention = Convention::specification(1e-3);
    let reading = NirReading { convention, biases_from_start: true };
    let (mut refused, mut seed) = (0, 1);
    let names = ["prim_conv2d_groups", "prim_delay", "prim_sumpool", "recurrent_subgraph"];
    for name in names {
        let bytes = std::fs::read(folder.join(format!("{name}.nir"))).unwrap();
        for _ in 0..COPIES {
            std::fs::write(&path, damage(&bytes, &mut seed)).unwrap();
            let Ok(graph) = read(&path) else {
                refused += 1;
                continue;
            };
            let _ = to_network(&graph, "damaged", &reading);
            if let Ok(mut run) = GraphRun::new(&graph, &convention) {
                let size = run.input_shape().iter().fold(1_usize, |n, &m| n.saturating_mul(m));
                if size <= 1 << 12 {
                    let _ = run.step(0, &vec![1.0; size]);
                }
            }
        }
    }
    assert!(refused > 20, "{refused} of {} were refused", COPIES * names.len() as u64);
}

#[test]
fn a_matrix_without_columns_is_not_given_rows_that_no_memory_holds() {
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: vec![0] });
    let weight = Array::new(vec![1 << 47, 0], Vec::<f32>::new()).unwrap();
    graph.add_node("wide", Linear { weight });
    graph.add_node("output", Output { shape: vec![1] });
    graph.add_edge("input", "wide");
    graph.add_edge("wide", "output");
    let convention = Convention::specification(1e-3);
    let error = GraphRun::new(&graph, &convention).err().unwrap().to_string();
    assert!(error.contains("`wide`") && error.contains("rows"), "{error}");
    let reading = NirReading { convention, biases_from_start: true };
    assert!(to_network(&graph, "hostile", &reading).is_err());
}
