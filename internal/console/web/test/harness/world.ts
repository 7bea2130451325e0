// A world: a tenant of its own, with a company's data.
import { request, stage } from './stage.ts'

export interface Person {
  id: string
  name: string
  kind: string
}

export interface Resource {
  id: string
  parent_id: string
  type: string
  name: string
}

export interface WorldOptions {
  /** Activities recorded over the last days; default 0. */
  activities?: number
  days?: number
  /** Additional principals, who follow the resource all-hands. */
  crowd?: number
  /** Adds activities with hostile texts; Grace is notified of them. */
  hostile?: boolean
  /** Adds dead letters, parked activities and a fan-out job. */
  trouble?: boolean
  /** The tenant has Ada and the workspace alone. */
  bare?: boolean
}

/** An activity to record. Principals and resources are keys of the world. */
export interface Activity {
  action: string
  actor?: string
  resource?: string
  targets?: string[]
  payload?: object
  /** The payload as JSON, for numbers that JavaScript does not hold. */
  payloadJSON?: string
  /** Other fields of the envelope, such as severity or message. */
  fields?: Record<string, unknown>
}

export interface CredentialOptions {
  scopes?: string[]
  lifetimeSeconds?: number
}

/** Creates a world, and returns when its activities are delivered. */
export async function newWorld(options: WorldOptions = {}): Promise<World> {
  const created = await request<Created>('world', options)
  return new World(created.tenant_id, created.principals, created.resources)
}

interface Created {
  tenant_id: string
  principals: Record<string, Person>
  resources: Record<string, Resource>
}

export class World {
  readonly tenant: string
  readonly principals: Record<string, Person>
  readonly resources: Record<string, Resource>

  constructor(tenant: string, principals: Record<string, Person>, resources: Record<string, Resource>) {
    this.tenant = tenant
    this.principals = principals
    this.resources = resources
  }

  person(key: string): Person {
    return found(this.principals, key, 'principal')
  }

  resource(key: string): Resource {
    return found(this.resources, key, 'resource')
  }

  /** Records activities and returns their ids. They are delivered soon after. */
  async record(...activities: Activity[]): Promise<string[]> {
    const envelopes = activities.map((activity) => this.envelope(activity))
    return (await request<{ ids: string[] }>('record', { tenant_id: this.tenant, envelopes })).ids
  }

  /** Records activities and returns when they are delivered. */
  async deliver(...activities: Activity[]): Promise<string[]> {
    const ids = await this.record(...activities)
    await this.settle()
    return ids
  }

  /** Returns when the worker has delivered everything. */
  async settle(): Promise<void> {
    await request('settle', { tenant_id: this.tenant })
  }

  /** Records the activities in turn, at a rate, until the returned function is called. */
  async load(perSecond: number, ...activities: Activity[]): Promise<() => Promise<number>> {
    const envelopes = activities.map((activity) => this.envelope(activity))
    await request('load', { tenant_id: this.tenant, envelopes, per_second: perSecond })
    return async () => (await request<{ recorded: number }>('load', { tenant_id: this.tenant })).recorded
  }

  /** Returns a JWT of the application. */
  async token(person: string, options: CredentialOptions = {}): Promise<string> {
    return (await request<{ token: string }>('token', this.credential(person, options))).token
  }

  /** Returns a service token, which is valid for a day. */
  async serviceToken(person: string, options: { scopes?: string[] } = {}): Promise<string> {
    return (await request<{ token: string }>('service-token', this.credential(person, options))).token
  }

  /** Returns a one-time code, and the link that contains it. */
  async code(person: string, options: CredentialOptions = {}): Promise<{ code: string; url: string }> {
    return request('code', this.credential(person, options))
  }

  /** Requests the API as a person; a status that is not 2xx is an error. */
  async api<T = unknown>(person: string, method: string, path: string, body?: object, scopes?: string[]): Promise<T> {
    const token = await this.token(person, scopes ? { scopes } : {})
    const init: RequestInit = { method, headers: { authorization: `Bearer ${token}` } }
    if (body !== undefined) {
      init.headers = { ...init.headers, 'content-type': 'application/json' }
      init.body = JSON.stringify(body)
    }
    const response = await fetch(`${stage.url}/v1${path}`, init)
    const text = await response.text()
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`)
    }
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** Removes the histories of a person's and the tenant's channels, or of a resource's, so that no client recovers. */
  async purge(person: string, resource?: string): Promise<void> {
    const channel = resource === undefined ? '' : `resource:${this.tenant}.${this.resource(resource).id}`
    await request('purge', { ...this.credential(person), channel })
  }

  /** Closes a person's connections to Centrifugo; clients connect again. */
  async disconnect(person: string): Promise<void> {
    await request('disconnect', this.credential(person))
  }

  /** Revokes a person's roles on a resource, or on all. */
  async revoke(person: string, resource?: string): Promise<void> {
    const id = resource === undefined ? {} : { resource_id: this.resource(resource).id }
    await request('revoke', { ...this.credential(person), ...id })
  }

  /** Lets the worker deliver what trouble holds: parked activities and the fan-out job. */
  async release(): Promise<void> {
    await request('release', { tenant_id: this.tenant })
  }

  private credential(person: string, options: CredentialOptions = {}): object {
    return {
      tenant_id: this.tenant,
      principal_id: this.person(person).id,
      scopes: options.scopes ?? [],
      lifetime_seconds: options.lifetimeSeconds ?? 0,
    }
  }

  private envelope(activity: Activity): object {
    const resource = this.resource(activity.resource ?? 'atlas-grip')
    return {
      tenant_id: this.tenant,
      actor_principal_id: this.person(activity.actor ?? 'linus').id,
      action: activity.action,
      resource_id: resource.id,
      resource_type: resource.type,
      ...(activity.targets ? { target_principal_ids: activity.targets.map((key) => this.person(key).id) } : {}),
      ...(activity.payloadJSON === undefined
        ? { payload: activity.payload ?? {} }
        : { payload_json: activity.payloadJSON }),
      ...activity.fields,
    }
  }
}

function found<T>(all: Record<string, T>, key: string, what: string): T {
  const one = all[key]
  if (one === undefined) {
    throw new Error(`the world has no ${what} "${key}"; it has ${Object.keys(all).join(', ')}`)
  }
  return one
}
