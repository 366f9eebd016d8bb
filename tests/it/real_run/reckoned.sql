-- What the published rows come to in the three shapes, worked out from them by the contract alone: nothing that the service
-- wrote is read here. `raw.partners` and `raw.invoices` hold the lines of the files as they are, without their headings.
CREATE SCHEMA reckoned;

-- Every line is booked half an hour before the end of its month, in UTC; quarters are those of London.
CREATE TABLE reckoned.lines AS
SELECT cells[1]::integer AS line_id, cells[3] AS supplier, cells[5]::date AS month, cells[6]::numeric AS amount,
    cells[7] = 'credit_note' AS is_credit_note,
    date_trunc('quarter', booked AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/London')::date AS quarter,
    date_trunc('quarter', booked)::date AS quarter_in_utc
FROM (SELECT string_to_array(line, ',') AS cells FROM raw.invoices) AS file,
    LATERAL (SELECT cells[5]::timestamp + interval '1 month' - interval '30 minutes' AS booked) AS at;

CREATE TABLE reckoned.suppliers AS
SELECT reference, row_number() OVER (ORDER BY reference) - 1 AS place, count(*) OVER () AS number
FROM (SELECT split_part(line, ',', 1) AS reference FROM raw.partners) AS file;

-- f(V): 4.25% of the first 50,000.00 of a quarter, 6.5% from there to 250,000.00, 8.75% of what is beyond. Below nothing,
-- where more was credited than sold, it is the first band that goes on.
CREATE FUNCTION reckoned.f(volume numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT 0.0425 * least(volume, 50000) + 0.065 * greatest(least(volume, 250000) - 50000, 0)
        + 0.0875 * greatest(volume - 250000, 0)
$$;

-- Line by line: round(f(V + x)) - round(f(V)), in the order in which the lines were sent: all invoices, then the credit
-- notes, each by their dates and numbers. numeric rounds half away from zero.
CREATE TABLE reckoned.quarterly AS
SELECT line_id, supplier AS partner,
    round(reckoned.f(volume), 2) - round(reckoned.f(volume - amount), 2) AS amount
FROM (
    SELECT line_id, supplier, amount, sum(amount) OVER (PARTITION BY supplier, quarter
        ORDER BY is_credit_note, month, line_id ROWS UNBOUNDED PRECEDING) AS volume
    FROM reckoned.lines) AS so_far;

-- And at once: whatever the order, the lines of a quarter come to round(f(V)).
CREATE TABLE reckoned.quarters AS
SELECT supplier AS partner, quarter, round(reckoned.f(sum(amount)), 2) AS amount
FROM reckoned.lines GROUP BY supplier, quarter;

-- Ten per cent, rounded once per line; whole pennies by 60/30/10, and those left over to the largest remainders, of equal ones
-- to who was named first. A credit note is the same with the sign turned.
CREATE TABLE reckoned.split AS
WITH parties AS (
    SELECT s.reference AS supplier, p.reference AS partner, h.rank, h.share
    FROM reckoned.suppliers s
    CROSS JOIN (VALUES (1, 60), (2, 30), (3, 10)) AS h (rank, share)
    JOIN reckoned.suppliers p ON p.place = (s.place + h.rank - 1) % s.number
), pools AS (
    SELECT line_id, supplier, is_credit_note, 100 * round(0.10 * abs(amount), 2) AS pennies FROM reckoned.lines
), parts AS (
    SELECT line_id, partner, rank, is_credit_note, pennies, floor(pennies * share / 100) AS whole,
        pennies * share % 100 AS remainder
    FROM pools JOIN parties USING (supplier)
), turns AS (
    SELECT *, pennies - sum(whole) OVER (PARTITION BY line_id) AS left_over,
        row_number() OVER (PARTITION BY line_id ORDER BY remainder DESC, rank) AS turn
    FROM parts
)
SELECT line_id, partner, (whole + CASE WHEN turn <= left_over THEN 1 ELSE 0 END) / 100
        * CASE WHEN is_credit_note THEN -1 ELSE 1 END AS amount,
    turn = left_over AND max(turn) OVER (PARTITION BY line_id, remainder) > left_over AS is_by_rank
FROM turns;

-- Ten per cent to the supplier; month by month what has come together is paid when it is 100.00 or more, else it waits.
CREATE TABLE reckoned.threshold AS
WITH RECURSIVE earned AS (
    SELECT s.reference AS partner, m.month, coalesce(sum(round(0.10 * l.amount, 2)), 0) AS amount
    FROM reckoned.suppliers s
    CROSS JOIN (SELECT DISTINCT month FROM reckoned.lines) AS m
    LEFT JOIN reckoned.lines l ON l.supplier = s.reference AND l.month = m.month
    GROUP BY s.reference, m.month
), runs AS (
    SELECT partner, month, amount AS balance FROM earned WHERE month = (SELECT min(month) FROM earned)
    UNION ALL
    SELECT partner, e.month, CASE WHEN r.balance >= 100 THEN 0 ELSE r.balance END + e.amount
    FROM runs r JOIN earned e USING (partner) WHERE e.month = r.month + interval '1 month'
)
SELECT partner, month, CASE WHEN balance >= 100 THEN balance ELSE 0 END AS paid,
    CASE WHEN balance >= 100 THEN 0 ELSE balance END AS carried
FROM runs;
