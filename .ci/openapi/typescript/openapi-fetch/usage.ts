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
