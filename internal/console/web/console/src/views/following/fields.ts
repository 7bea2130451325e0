import type { Client } from '@fanfare/client'
import type { FollowStore } from '@fanfare/elements/following/store'
import { followTexts } from '@fanfare/elements/following/texts'
import { html, nothing } from 'lit'
import { href } from '../../router.ts'
import type { Changes } from './changes.ts'
import { pathOf } from './followed.ts'
import { targetOf } from './resource_tree.ts'
import type { Node } from './tree.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/following/follow'
import './watchers.ts'

/** fieldsOf renders the details of a resource: how the caller follows it, and who else does. */
export function fieldsOf(node: Node, client: Client, store: FollowStore, { did, failed }: Changes): unknown {
  const { resource } = node
  const target = targetOf(node)
  const roles = [...(resource.owner ? ['owner'] : []), ...resource.roles]
  const group = store.follows(
    target.id,
    target.ancestors.map((a) => a.id),
  )?.group
  return html`<div class="detail"><dl><dt>Type</dt><dd>${resource.type}</dd>
      ${node.parent ? html`<dt>In</dt><dd><bdi>${pathOf(node)}</bdi></dd>` : nothing}
      ${roles.length > 0 ? html`<dt>Your roles</dt><dd>${[...new Set(roles)].join(', ')}</dd>` : nothing}
      <dt>Following</dt><dd><ff-follow show="follow" size="sm" .client=${client} .target=${target}
        @done=${did} @failed=${failed}></ff-follow>${
          group
            ? html`<p class="note">The group <bdi>${group}</bdi> follows it, and you are a member.
              ${followTexts.ofGroup} Your level holds for you alone.</p>`
            : nothing
        }</dd>
      <dt>Notifies of</dt><dd><ff-follow show="level" size="sm" .client=${client} .target=${target}
        @done=${did} @failed=${failed}></ff-follow></dd></dl>
    <ff-watchers .client=${client} resource-id=${resource.resource_id}></ff-watchers>
    <ff-button href=${href('activity', [], { resource: resource.resource_id })}>Show its activities</ff-button></div>`
}
