import { quoted } from '../../parts/shell_line.ts'

/** Whose ids the lines have. */
export interface Ids {
  tenant: string
  principal: string
  /** A resource of the directory, if the caller sees one. */
  resource?: { id: string; type: string } | undefined
  /** Of the API: https://fanfare.example.com */
  origin: string
}

export interface Lines {
  id: string
  label: string
  /** What it needs. */
  needs: string
  text: string
}

/** A resource that the directory does not have. The caller is the target, and is notified. */
const example = { id: '00000000-0000-4000-8000-000000000001', type: 'project' }

/** linesOf returns the lines that record an activity for the caller, in several languages. They have no secret. */
export function linesOf({ tenant, principal, resource = example, origin }: Ids): Lines[] {
  const envelope = {
    tenant_id: tenant,
    actor_principal_id: principal,
    resource_id: resource.id,
    resource_type: resource.type,
    action: 'hello.sent',
    message: 'The first activity',
  }
  const { tenant_id: _, ...body } = envelope
  return [
    {
      id: 'sql',
      label: 'SQL',
      needs: 'In the transaction that makes the change. The role needs fanfare_writer.',
      text: `BEGIN;
SELECT fanfare.record_activity('${JSON.stringify(envelope, null, 2).replaceAll("'", "''")}'::jsonb);
COMMIT;`,
    },
    {
      id: 'curl',
      label: 'curl',
      needs: 'A service token with the scope activity:write, in FANFARE_TOKEN: fanfare token create prints one.',
      text: `curl --fail-with-body ${origin}/v1/activities \\
  -H "Authorization: Bearer $FANFARE_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d ${quoted(JSON.stringify(body, null, 2))}`,
    },
    {
      id: 'go',
      label: 'Go',
      needs: 'With pgx, in the transaction tx that makes the change.',
      text: `recorded, err := outbox.Record(ctx, tx, activity.Envelope{
	TenantID:         uuid.MustParse("${tenant}"),
	ActorPrincipalID: uuid.MustParse("${principal}"),
	ResourceID:       uuid.MustParse("${resource.id}"),
	ResourceType:     ${JSON.stringify(resource.type)},
	Action:           "hello.sent",
	Message:          "The first activity",
})`,
    },
    {
      id: 'python',
      label: 'Python',
      needs: "With psycopg: pip install 'psycopg[binary]'. DATABASE_URL is the database of the application.",
      text: `import json, os, psycopg

envelope = ${JSON.stringify(envelope, null, 4)}
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("SELECT fanfare.record_activity(%s::jsonb)", [json.dumps(envelope)])`,
    },
  ]
}
