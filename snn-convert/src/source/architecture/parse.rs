//! Reads an architecture file.

use toml::{Table, Value};

use super::{Architecture, Geometry, KINDS, Layer, Padding};
use crate::source::SourceError;

/// How deep branches may lie inside each other.
const MAXIMUM_DEPTH: usize = 16;
/// The longest text that is read.
const MAXIMUM_BYTES: usize = 1 << 22;

/// Reads an architecture from its text.
///
/// # Errors
/// [`SourceError::Architecture`] with the place of the mistake and what is allowed there.
pub fn parse(text: &str) -> Result<Architecture, SourceError> {
    if text.len() > MAXIMUM_BYTES {
        return wrong("the file", format!("{} bytes are too many", text.len()));
    }
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return wrong("the file", format!("it is no TOML: {error}")),
    };
    let known = ["input", "layers", "ignore"];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let problem = format!("`{key}` is unknown; known: {}", known.join(", "));
        return wrong("the file", problem);
    }
    let input = match table.get("input") {
        Some(value) => Some(numbers(value, "input")?),
        None => None,
    };
    let Some(listed) = table.get("layers").and_then(Value::as_array) else {
        return wrong(
            "layers",
            "it must be a list, such as [{ linear = \"fc\" }, \"relu\"]".to_owned(),
        );
    };
    let mut ignore = Vec::new();
    for value in table.get("ignore").and_then(Value::as_array).unwrap_or(&Vec::new()) {
        match value.as_str() {
            Some(name) => ignore.push(name.to_owned()),
            None => return wrong("ignore", "it must be a list of names".to_owned()),
        }
    }
    Ok(Architecture { input, layers: layers(listed, "layers", 0)?, ignore })
}

fn wrong<T>(place: &str, problem: String) -> Result<T, SourceError> {
    Err(SourceError::Architecture { place: place.to_owned(), problem })
}

fn layers(values: &[Value], place: &str, depth: usize) -> Result<Vec<Layer>, SourceError> {
    if depth > MAXIMUM_DEPTH {
        return wrong(place, format!("branches lie more than {MAXIMUM_DEPTH} deep"));
    }
    let layer =
        |(number, value): (usize, &Value)| self::layer(value, &format!("{place}[{number}]"), depth);
    let found: Result<Vec<Option<Layer>>, SourceError> =
        values.iter().enumerate().map(layer).collect();
    Ok(found?.into_iter().flatten().collect())
}

/// One layer: a name, or a table whose entry of a kind's name is its main parameter.
fn layer(value: &Value, place: &str, depth: usize) -> Result<Option<Layer>, SourceError> {
    let empty = Table::new();
    let (kind, main, table) = match value {
        Value::String(kind) => (kind.as_str(), None, &empty),
        Value::Table(table) => {
            let kinds: Vec<&String> =
                table.keys().filter(|key| KINDS.contains(&key.as_str())).collect();
            match kinds.as_slice() {
                [kind] => (kind.as_str(), table.get(kind.as_str()), table),
                _ => {
                    let given: Vec<&str> = table.keys().map(String::as_str).take(8).collect();
                    return wrong(
                        place,
                        format!(
                            "one of {} must be given; given: {}",
                            KINDS.join(", "),
                            given.join(", ")
                        ),
                    );
                }
            }
        }
        _ => return wrong(place, "it must be a name or a table".to_owned()),
    };
    let entry = Entry { place, kind, main, table };
    let allowed = entry.allowed();
    let strange = table.keys().find(|key| *key != kind && !allowed.contains(&key.as_str()));
    if let Some(key) = strange {
        let known = if allowed.is_empty() { "nothing else".to_owned() } else { allowed.join(", ") };
        return wrong(place, format!("`{key}` is unknown for {kind}; known: {known}"));
    }
    Ok(Some(match kind {
        "conv" => Layer::Convolution {
            tensors: entry.tensors()?,
            geometry: entry.geometry([1, 1])?,
            groups: entry.number("groups", 1)?,
        },
        "linear" => Layer::Linear { tensors: entry.tensors()? },
        "batch_norm" => {
            Layer::BatchNorm { tensors: entry.tensors()?, epsilon: entry.float("epsilon", 1e-5)? }
        }
        "prelu" => Layer::ParametricRelu { tensors: entry.tensors()? },
        "relu" => Layer::Relu,
        "relu6" => Layer::Clip { limits: [0.0, 6.0] },
        "clip" => Layer::Clip { limits: entry.limits()? },
        "leaky_relu" => Layer::LeakyRelu {
            slope: match main {
                Some(value) => entry.as_float(value)?,
                None => 0.01,
            },
        },
        "max_pool" | "avg_pool" => entry.pooling()?,
        "global_avg_pool" => Layer::GlobalAveragePool,
        "flatten" => Layer::Flatten,
        "reshape" => Layer::Reshape { shape: numbers(entry.needed()?, place)? },
        "pad" => Layer::Pad { cells: cells(entry.needed()?, place)? },
        "dropout" | "identity" => return Ok(None),
        "softmax" => Layer::Softmax,
        "log_softmax" => Layer::LogSoftmax,
        "sigmoid" => Layer::Sigmoid,
        "residual" => Layer::Residual {
            body: layers(entry.list(main, "residual")?, &format!("{place}.residual"), depth + 1)?,
            shortcut: match table.get("shortcut") {
                Some(value) => {
                    let list = entry.list(Some(value), "shortcut")?;
                    layers(list, &format!("{place}.shortcut"), depth + 1)?
                }
                None => Vec::new(),
            },
        },
        "concat" => {
            let mut branches = Vec::new();
            for (number, branch) in entry.list(main, "concat")?.iter().enumerate() {
                let place = format!("{place}.concat[{number}]");
                let list = entry.list(Some(branch), "concat")?;
                branches.push(layers(list, &place, depth + 1)?);
            }
            Layer::Concat { branches }
        }
        other => {
            let known = sim_core::diagnostics::known_names(other, KINDS);
            return wrong(place, format!("there is no layer `{other:.40}`; {known}"));
        }
    }))
}

struct Entry<'a> {
    place: &'a str,
    kind: &'a str,
    main: Option<&'a Value>,
    table: &'a Table,
}

impl<'a> Entry<'a> {
    fn allowed(&self) -> &'static [&'static str] {
        match self.kind {
            "conv" => &["stride", "padding", "dilation", "groups"],
            "batch_norm" => &["epsilon"],
            "max_pool" => &["stride", "padding", "dilation", "ceil_mode"],
            "avg_pool" => &["stride", "padding", "ceil_mode", "count_include_pad"],
            "residual" => &["shortcut"],
            _ => &[],
        }
    }

    fn needed(&self) -> Result<&'a Value, SourceError> {
        match self.main {
            Some(value) => Ok(value),
            None => wrong(self.place, format!("{} needs a value: {{ {0} = … }}", self.kind)),
        }
    }

    fn tensors(&self) -> Result<String, SourceError> {
        match self.needed()?.as_str() {
            Some(name) => Ok(name.to_owned()),
            None => wrong(
                self.place,
                format!("{} names its tensors: {{ {0} = \"prefix\" }}", self.kind),
            ),
        }
    }

    fn list(&self, value: Option<&'a Value>, name: &str) -> Result<&'a [Value], SourceError> {
        match value.and_then(Value::as_array) {
            Some(list) => Ok(list),
            None => wrong(self.place, format!("`{name}` must be a list of layers")),
        }
    }

    fn as_float(&self, value: &Value) -> Result<f32, SourceError> {
        let whole = value.as_integer().map(|number| number as f64);
        match value.as_float().or(whole) {
            Some(number) => Ok(number as f32),
            None => wrong(self.place, "a number is needed".to_owned()),
        }
    }

    fn float(&self, name: &str, default: f32) -> Result<f32, SourceError> {
        self.table.get(name).map_or(Ok(default), |value| self.as_float(value))
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, SourceError> {
        let Some(value) = self.table.get(name) else { return Ok(default) };
        match value.as_integer().and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(number),
            None => wrong(self.place, format!("`{name}` must be a whole number")),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, SourceError> {
        match self.table.get(name) {
            None => Ok(default),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(_) => wrong(self.place, format!("`{name}` must be true or false")),
        }
    }

    fn limits(&self) -> Result<[f32; 2], SourceError> {
        match self.needed()?.as_array().map(Vec::as_slice) {
            Some([low, high]) => Ok([self.as_float(low)?, self.as_float(high)?]),
            _ => wrong(self.place, "clip needs two limits: { clip = [0, 6] }".to_owned()),
        }
    }

    fn geometry(&self, stride: [usize; 2]) -> Result<Geometry, SourceError> {
        let pair_of = |name: &str, default| match self.table.get(name) {
            Some(value) => pair(value, &format!("{}.{name}", self.place)),
            None => Ok(default),
        };
        let padding = match self.table.get("padding") {
            None => Padding::Cells([0; 4]),
            Some(Value::String(same)) if same == "same" => Padding::Same,
            Some(value) => Padding::Cells(cells(value, &format!("{}.padding", self.place))?),
        };
        let (stride, dilation) = (pair_of("stride", stride)?, pair_of("dilation", [1, 1])?);
        Ok(Geometry { kernel: [0, 0], stride, padding, dilation })
    }

    fn pooling(&self) -> Result<Layer, SourceError> {
        let kernel = pair(self.needed()?, self.place)?;
        let geometry = Geometry { kernel, ..self.geometry(kernel)? };
        let ceil_mode = self.flag("ceil_mode", false)?;
        if self.kind == "max_pool" {
            return Ok(Layer::MaxPool { geometry, ceil_mode });
        }
        let count_include_pad = self.flag("count_include_pad", true)?;
        Ok(Layer::AveragePool { geometry, ceil_mode, count_include_pad })
    }
}

fn numbers(value: &Value, place: &str) -> Result<Vec<usize>, SourceError> {
    let number = |value: &Value| value.as_integer().and_then(|n| usize::try_from(n).ok());
    let list = match value {
        Value::Array(values) => values.iter().map(number).collect(),
        one => number(one).map(|one| vec![one]),
    };
    match list {
        Some(list) if list.len() <= 16 => Ok(list),
        _ => wrong(place, "a list of whole numbers is needed, such as [1, 28, 28]".to_owned()),
    }
}

/// One number for both axes, or one each.
fn pair(value: &Value, place: &str) -> Result<[usize; 2], SourceError> {
    match *numbers(value, place)?.as_slice() {
        [one] => Ok([one, one]),
        [down, right] => Ok([down, right]),
        _ => wrong(place, "one number, or one for rows and one for columns, is needed".to_owned()),
    }
}

/// One number for all sides, two for rows and columns, or four: top, left, bottom, right.
fn cells(value: &Value, place: &str) -> Result<[usize; 4], SourceError> {
    match *numbers(value, place)?.as_slice() {
        [one] => Ok([one; 4]),
        [rows, columns] => Ok([rows, columns, rows, columns]),
        [top, left, bottom, right] => Ok([top, left, bottom, right]),
        _ => wrong(place, "1, 2 or 4 numbers are needed (top, left, bottom, right)".to_owned()),
    }
}
