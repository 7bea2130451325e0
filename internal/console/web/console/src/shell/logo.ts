import { svg } from 'lit'

/** The mark of Fanfare: a horn that sounds. */
export const logo = svg`<svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
  <g fill="none" stroke="var(--ff-brass)" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
    <path d="M4 13.2v5.6l4.5.8v-7.2z"/><path d="M8.5 12.4 20 7v18L8.5 19.6"/>
    <path d="M24 12.2a5.4 5.4 0 0 1 0 7.6"/><path d="M27.2 9a9.9 9.9 0 0 1 0 14"/>
  </g></svg>`
