//! The report as a table for a terminal.

use super::DemoError;
use super::caller::read_out;
use serde_json::Value;
use std::io::Write;

/// The figures of a report's row, and what their columns are called.
const COLUMNS: [(&str, &str); 6] = [
    ("net_revenue", "revenue"),
    ("commission_earned", "earned"),
    ("commission_clawed_back", "clawed back"),
    ("commission_net", "net"),
    ("commission_paid", "paid"),
    ("open_balance", "open"),
];

/// Writes a row for each partner.
pub(super) fn write(out: &mut dyn Write, rows: &[Value]) -> Result<(), DemoError> {
    write!(out, "  {:<22}", "partner")?;
    for (_, title) in COLUMNS {
        write!(out, "{title:>14}")?;
    }
    writeln!(out)?;
    for row in rows {
        write!(out, "  {:<22}", read_out(&row["group_label"]))?;
        for (figure, _) in COLUMNS {
            write!(out, "{:>14}", read_out(&row[figure]["amount"]))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
