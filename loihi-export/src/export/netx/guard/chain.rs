//! The order of the layers: one chain from the input on, each layer with itself at most.

use super::Guard;
use crate::quantise::network::{QuantisedNetwork, QuantisedProjection};

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
            let (mut into, mut out) = (Vec::new(), 0);
            for projection in network.projections.iter().filter(|p| !own(p)) {
                into.extend((projection.target == index).then_some(projection));
                out += usize::from(projection.source == index);
            }
            let loops = network.projections.iter().filter(own).count();
            if loops > 1 {
                let problem = "it has several projections on itself".into();
                let remedy = "netx has one recurrent matrix a layer; add them up";
                self.report("recurrent", &population.name, problem, remedy);
            }
            if into.len() > 1 || out > 1 {
                let problem = format!("{} projections enter and {out} leave it", into.len());
                self.report("branch", &population.name, problem, REMEDY);
            }
            if population.process == "input" {
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
            let problem = format!("it has {} populations of process `input`", inputs.len());
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
