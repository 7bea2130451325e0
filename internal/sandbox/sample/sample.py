"""Records an activity, prints the inbox, or prints activities as they happen."""
import json
import os
import sys
import urllib.request


def record():
    """Changes a project and records that, in one transaction."""
    import psycopg  # https://www.psycopg.org/psycopg3

    envelope = {
        "tenant_id": os.environ["TENANT"],
        "actor_principal_id": os.environ["ADA"],
        "resource_id": os.environ["PROJECT"],
        "resource_type": "project",
        "action": "project.updated",
        "message": "Hello from Python",
    }
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:  # commits, or rolls back after an error
        connection.execute("UPDATE projects SET status = 'green' WHERE id = %s", [os.environ["PROJECT"]])
        row = connection.execute("SELECT fanfare.record_activity(%s::jsonb)", [json.dumps(envelope)]).fetchone()
    print("recorded", row[0])


def get(path):
    headers = {"Authorization": "Bearer " + os.environ["TOKEN"]}
    return urllib.request.urlopen(urllib.request.Request(os.environ["API"] + path, headers=headers))


def show(event):
    print(event["action"], "-", event["ui_hints"]["summary"], flush=True)


def inbox():
    """Prints the newest notifications."""
    with get("/notifications?limit=3") as response:
        for item in json.load(response)["items"]:
            show(item["event"])


def listen():
    """Prints the tenant's activities as they happen, from a stream of server-sent events."""
    kind = ""
    with get("/activities/stream") as response:
        for line in response:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "activity":
                show(json.loads(value))


{"record": record, "inbox": inbox, "listen": listen}[sys.argv[1]]()
