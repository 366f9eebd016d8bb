// What a portal does all day, with openapi-fetch: it compiles only while the document says what it should.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8080" });

export async function namesOfApproved(): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const { data, error }: Awaited<ReturnType<typeof page>> = await page(cursor);
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    names.push(...data.data.map((partner) => partner.name));
    cursor = data.next_cursor;
  } while (cursor !== null);
  return names;
}

function page(cursor: string | null) {
  const query = cursor === null ? { limit: 100 } : { limit: 100, cursor };
  return client.GET("/v1/partners", { params: { query } });
}

export async function rename(id: string, name: string): Promise<components["schemas"]["Partner"]> {
  const { data: partner, response } = await client.GET("/v1/partners/{partner_id}", {
    params: { path: { partner_id: id } },
  });
  if (!partner) throw new Error("There is no such partner.");
  const { data, error } = await client.PATCH("/v1/partners/{partner_id}", {
    params: { path: { partner_id: id }, header: { "If-Match": response.headers.get("ETag") ?? "" } },
    body: { name },
  });
  if (error) throw new Error(error.errors.map((field) => `${field.pointer} ${field.message}`).join("\n"));
  return data;
}

export async function createDeal(account: string, program: string): Promise<string> {
  const { data, error } = await client.POST("/v1/deals", {
    body: { name: "Fleet", account_id: account, program_id: program, amount: { amount: "48000.00", currency: "EUR" } },
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  });
  if (error) throw new Error(error.title);
  return data.id;
}

export async function owedByProgram(): Promise<string[]> {
  const { data, error } = await client.GET("/v1/reports/program-summary", {
    params: { query: { group_by: "program", from_on: "2026-01-01" } },
  });
  if (error) throw new Error(error.code);
  if (typeof data === "string") throw new Error("This is CSV.");
  return data.rows.map((row) => `${row.group_label}: ${row.open_balance.amount} ${row.open_balance.currency}`);
}
