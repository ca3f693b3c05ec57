//! A node in the form that scripts/yaml-golden.py gives Python's values.

use catena_json::Value;
use catena_yaml::{Node, NodeValue};

pub(crate) fn encode(node: &Node) -> Value {
    let (kind, value) = match &node.value {
        NodeValue::Null => return Value::Array(vec!["null".into()]),
        NodeValue::Bool(value) => ("bool", Value::from(*value)),
        NodeValue::Int(value) => {
            let sign = if value.sign() == num_bigint::Sign::Minus { "-" } else { "" };
            ("int", Value::from(format!("{sign}0x{}", value.magnitude().to_str_radix(16))))
        }
        NodeValue::Float(value) if value.is_nan() => ("float", "nan".into()),
        NodeValue::Float(value) => ("float", Value::from(format!("{:016x}", value.to_bits()))),
        NodeValue::String(text) => ("str", Value::from(text.as_str())),
        NodeValue::Timestamp(timestamp) => ("time", Value::from(timestamp.to_string())),
        NodeValue::Binary(bytes) => {
            ("bytes", Value::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        }
        NodeValue::Sequence(items) => ("list", Value::Array(items.iter().map(encode).collect())),
        NodeValue::Mapping(entries) => ("map", pairs(entries)),
        // Python prints an empty list of pairs as any empty list.
        NodeValue::Pairs(entries) if entries.is_empty() => ("list", Value::Array(Vec::new())),
        NodeValue::Pairs(entries) => ("pairs", pairs(entries)),
        NodeValue::Set(items) => {
            let mut items: Vec<Value> = items.iter().map(encode).collect();
            items.sort_by_key(ToString::to_string);
            ("set", Value::Array(items))
        }
    };
    Value::Array(vec![kind.into(), value])
}

fn pairs(entries: &[(Node, Node)]) -> Value {
    Value::Array(entries.iter().map(|(key, value)| Value::Array(vec![encode(key), encode(value)])).collect())
}
