//! Rows of named columns: what front ends show as a table or write as JSON.

use serde_json::{Map, Value};

/// A titled list whose cells are JSON values; cells that hold lists or objects are for machines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// What is listed.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// One cell a column in each row.
    pub rows: Vec<Vec<Value>>,
}

impl Listing {
    /// An empty list.
    pub fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Listing { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A list with these rows.
    #[must_use]
    pub fn with_rows<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        self.rows = rows.into_iter().map(Vec::from).collect();
        self
    }

    /// One object a row.
    pub fn to_json(&self) -> Value {
        let row = |cells: &Vec<Value>| {
            let names = self.columns.iter().map(|name| (*name).to_string());
            Value::Object(names.zip(cells.iter().cloned()).collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_become_objects_in_the_order_of_the_columns() {
        let listing = Listing::new("engines", &["name", "fast"])
            .with_rows([[json!("clock"), json!(true)], [json!("event"), Value::Null]]);
        let text = listing.to_json().to_string();
        assert_eq!(text, r#"[{"name":"clock","fast":true},{"name":"event","fast":null}]"#);
    }
}
