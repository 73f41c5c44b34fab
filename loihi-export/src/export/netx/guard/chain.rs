//! The order of the layers: one chain from the input on, each layer with itself at most.

use super::{Guard, is_driven};
use crate::quantise::network::{QuantisedNetwork, QuantisedProjection};

/// The projections of one layer.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'a> {
    /// From the layer before; its real part where resonators follow.
    pub(super) forward: &'a QuantisedProjection,
    /// The imaginary part (port 1), where there is one.
    pub(super) imaginary: Option<&'a QuantisedProjection>,
    /// From the layer itself.
    pub(super) recurrent: Option<&'a QuantisedProjection>,
}

impl<'a> Incoming<'a> {
    /// Those of a population; `None` where nothing reaches it.
    pub(super) fn of(network: &'a QuantisedNetwork, index: usize) -> Option<Self> {
        let into = || network.projections.iter().filter(|p| p.target == index);
        let mut before = into().filter(|p| p.source != index).collect::<Vec<_>>();
        before.sort_by_key(|projection| projection.port);
        Some(Incoming {
            forward: before.first().copied()?,
            imaginary: before.get(1).copied(),
            recurrent: into().find(|p| p.source == index),
        })
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a QuantisedProjection> {
        [Some(self.forward), self.imaginary, self.recurrent].into_iter().flatten()
    }
}

/// Whether projections are the real and the imaginary part of one layer's weights.
fn is_pair(into: &[&QuantisedProjection]) -> bool {
    matches!(into, [one, two] if one.source == two.source && one.port != two.port)
}

impl Guard {
    /// The populations from the input on, as far as they are a chain.
    pub(super) fn chain(&mut self, network: &QuantisedNetwork) -> Vec<usize> {
        const REMEDY: &str = "netx runs one chain of layers; export NIR for other graphs";
        let count = network.populations.len();
        for projection in &network.projections {
            if projection.source >= count || projection.target >= count {
                let problem = "it joins populations that do not exist".into();
                self.report("graph", &projection.name, problem, "repair the network");
                return Vec::new();
            }
        }
        let mut inputs = Vec::new();
        for (index, population) in network.populations.iter().enumerate() {
            let own = |p: &&QuantisedProjection| p.source == index && p.target == index;
            let (mut into, mut out) = (Vec::new(), std::collections::BTreeSet::new());
            for projection in network.projections.iter().filter(|p| !own(p)) {
                into.extend((projection.target == index).then_some(projection));
                out.extend((projection.source == index).then_some(projection.target));
            }
            let out = out.len();
            let loops = network.projections.iter().filter(own).count();
            if loops > 1 {
                let problem = "it has several projections on itself".into();
                let remedy = "netx has one recurrent matrix a layer; add them up";
                self.report("recurrent", &population.name, problem, remedy);
            }
            let is_joined = into.len() > 1 && !is_pair(&into);
            if is_joined || out > 1 {
                let problem =
                    format!("{} projections enter it and {out} layers follow", into.len());
                self.report("branch", &population.name, problem, REMEDY);
            }
            if population.process == "input" || is_driven(population) {
                inputs.push(index);
                if !into.is_empty() || loops > 0 {
                    let problem = "synapses lead into an input".into();
                    self.report("graph", &population.name, problem, "remove the projection");
                }
            } else if into.is_empty() {
                let problem = "nothing reaches it".into();
                self.report("graph", &population.name, problem, "remove it or connect it");
            }
        }
        let [input] = inputs[..] else {
            let problem = format!(
                "it has {} inputs (populations of process `input` or driven)",
                inputs.len()
            );
            let remedy = "netx has exactly one input; join the inputs into one population";
            self.report("input", &network.name, problem, remedy);
            return Vec::new();
        };
        let mut order = vec![input];
        let onwards = |from: Option<&usize>| {
            network.projections.iter().find(|p| from == Some(&p.source) && p.target != p.source)
        };
        while let Some(next) = onwards(order.last()) {
            if order.contains(&next.target) {
                break;
            }
            order.push(next.target);
        }
        if order.len() < count && self.violations.is_empty() {
            let problem = format!("only {} of {count} populations follow the input", order.len());
            self.report("graph", &network.name, problem, REMEDY);
        }
        if order.len() == 1 {
            let problem = "it has an input and no layer".to_owned();
            self.report("graph", &network.name, problem, "add a layer");
        }
        order
    }
}
