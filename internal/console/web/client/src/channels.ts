import type { Centrifuge, Subscription } from 'centrifuge'
import type { Event } from './types.ts'

/**
 * What becomes of a further channel: it is joined with nothing missed since it was joined before, it is joined and
 * something may have been missed, or the API refuses it.
 */
export type ChannelState = 'joined' | 'missed' | 'refused'

/** What receives from a channel. */
export interface Receiver {
  receive: (event: Event) => void
  changed: (state: ChannelState) => void
}

interface Channel {
  subscription: Subscription
  receivers: Set<Receiver>
}

/** Channels are the further channels of a connection: each is joined once, for all that receive from it. */
export class Channels {
  #channels = new Map<string, Channel>()

  /** join adds a receiver, and returns a function that removes it. The channel is left when none is there. */
  join(centrifuge: Centrifuge, name: string, getToken: () => Promise<string>, receiver: Receiver): () => void {
    const known = this.#channels.get(name)
    const channel = known ?? this.#open(centrifuge, name, getToken)
    channel.receivers.add(receiver)
    if (known?.subscription.state === 'subscribed') receiver.changed('missed')
    return () => {
      channel.receivers.delete(receiver)
      if (channel.receivers.size === 0) this.#close(centrifuge, name, channel)
    }
  }

  #open(centrifuge: Centrifuge, name: string, getToken: () => Promise<string>): Channel {
    const subscription = centrifuge.newSubscription(name, { getToken })
    const channel = { subscription, receivers: new Set<Receiver>() }
    const changed = (state: ChannelState): void => {
      for (const receiver of [...channel.receivers]) receiver.changed(state)
    }
    subscription.on('publication', ({ data }) => {
      for (const receiver of [...channel.receivers]) receiver.receive(data as Event)
    })
    subscription.on('subscribed', (c) => changed(c.wasRecovering && c.recovered ? 'joined' : 'missed'))
    subscription.on('unsubscribed', ({ code }) => {
      if (code === 0) return // that of close
      this.#close(centrifuge, name, channel)
      changed('refused')
    })
    this.#channels.set(name, channel)
    subscription.subscribe()
    return channel
  }

  #close(centrifuge: Centrifuge, name: string, channel: Channel): void {
    if (this.#channels.get(name) !== channel) return
    this.#channels.delete(name)
    channel.subscription.unsubscribe()
    centrifuge.removeSubscription(channel.subscription)
  }
}
