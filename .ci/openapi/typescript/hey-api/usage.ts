// The same with hey-api, whose functions are named after the operations.
import { getPartner, listPartners, type Partner, updatePartner } from "./client";

export async function firstPage(): Promise<Partner[]> {
  const { data, error } = await listPartners({ query: { limit: 50 } });
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  return data.data;
}

export async function rename(id: string, name: string): Promise<Partner> {
  const path = { partner_id: id };
  const found = await getPartner({ path });
  if (found.error) throw new Error(found.error.title);
  const changed = await updatePartner({ path, body: { name } });
  if (changed.error) throw new Error(changed.error.errors.map((field) => field.message).join("\n"));
  return changed.data;
}
