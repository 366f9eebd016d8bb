// The same with hey-api, whose functions are named after the operations.
import {
  createDeal,
  createImport,
  createPartner,
  getImport,
  getPartner,
  getPartnerPerformance,
  type Import,
  listPartners,
  type Partner,
  updatePartner,
} from "./client";

export async function firstPage(): Promise<Partner[]> {
  const { data, error } = await listPartners({ query: { limit: 50, status: ["approved"] } });
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

export async function register(account: string): Promise<string> {
  const partner = await createPartner({ body: { name: "Nordlicht Consulting", country: "DE" } });
  if (partner.error) throw new Error(partner.error.title);
  const amount = { amount: "48000.00", currency: "EUR" };
  const deal = await createDeal({ body: { name: "Fleet", account_id: account, partner_id: partner.data.id, amount } });
  if (deal.error) throw new Error(deal.error.title);
  return deal.data.id;
}

export async function load(file: File): Promise<Import> {
  const mapping = { fields: { external_id: { column: "id" }, name: { column: "name" } } };
  const taken = await createImport({ body: { resource: "accounts", mapping, file, dry_run: true } });
  if (taken.error) throw new Error(taken.error.title);
  const now = await getImport({ path: { import_id: taken.data.id } });
  if (now.error) throw new Error(now.error.title);
  return now.data;
}

export async function balances(): Promise<string[]> {
  const { data, error } = await getPartnerPerformance({ query: { format: "json" } });
  if (error) throw new Error(error.code);
  if (typeof data === "string") throw new Error("This is CSV.");
  return data.rows.map((row) => row.open_balance.amount);
}
