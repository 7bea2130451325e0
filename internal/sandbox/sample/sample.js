// Records an activity, prints the inbox, or prints activities as they happen.

// record changes a project and records that, in one transaction.
async function record() {
  const { Client } = require("pg"); // https://node-postgres.com
  const envelope = {
    tenant_id: process.env.TENANT,
    actor_principal_id: process.env.ADA,
    resource_id: process.env.PROJECT,
    resource_type: "project",
    action: "project.updated",
    message: "Hello from Node",
  };
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("UPDATE projects SET status = 'green' WHERE id = $1", [process.env.PROJECT]);
    const { rows } = await client.query("SELECT fanfare.record_activity($1::jsonb) AS id", [JSON.stringify(envelope)]);
    await client.query("COMMIT");
    console.log("recorded", rows[0].id);
  } finally {
    await client.end(); // rolls back what is not committed
  }
}

async function get(path) {
  const response = await fetch(process.env.API + path, { headers: { Authorization: "Bearer " + process.env.TOKEN } });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return response;
}

const show = (event) => console.log(event.action, "-", event.ui_hints.summary);

// inbox prints the newest notifications.
async function inbox() {
  const page = await (await get("/notifications?limit=3")).json();
  for (const item of page.items) show(item.event);
}

// listen prints the tenant's activities as they happen, from a stream of server-sent events.
async function listen() {
  let rest = "";
  let kind = "";
  const decoder = new TextDecoder();
  for await (const chunk of (await get("/activities/stream")).body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("event: ")) kind = line.slice(7);
      if (line.startsWith("data: ") && kind === "activity") show(JSON.parse(line.slice(6)));
    }
  }
}

({ record, inbox, listen })[process.argv[2]]();
