import { css } from 'lit'

/** The styles of a row: two lines where there is room, three on phones. */
export const rowStyles = css`
  :host { display: block; container-type: inline-size; }
  .row {
    position: relative; display: grid; align-items: center; column-gap: var(--ff-space-3);
    grid-template: 'start avatar title time' 22px 'start avatar meta end' auto / auto auto minmax(0, 1fr) auto;
    min-height: 64px; padding: var(--ff-space-2) var(--ff-space-4) var(--ff-space-2) var(--ff-space-3);
    border-block-end: 1px solid var(--ff-border);
  }
  .row:hover { background: var(--ff-hover); }
  :host([selected]) .row { background: var(--ff-selected); }
  :host([current]) .row { background: var(--ff-selected); box-shadow: inset 2px 0 var(--ff-accent); }
  :host([current]:dir(rtl)) .row { box-shadow: inset -2px 0 var(--ff-accent); }
  .start { grid-area: start; display: flex; align-items: center; align-self: start; min-height: 28px; }
  .start::before {
    content: ''; width: 8px; height: 8px; margin-inline-end: var(--ff-space-2); border-radius: 50%;
  }
  .unread .start::before { background: var(--ff-accent); }
  ff-avatar { grid-area: avatar; align-self: start; margin-block-start: 2px; }
  .title {
    grid-area: title; display: block; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    color: var(--ff-text-2); border-radius: var(--ff-radius-sm);
  }
  .title:hover { text-decoration: none; }
  .unread .title { color: var(--ff-text); font-weight: var(--ff-weight-bold); }
  .title::after { content: ''; position: absolute; inset: 0; }
  .title:focus-visible { outline: none; }
  .title:focus-visible::after { outline: 2px solid var(--ff-accent); outline-offset: -2px; }
  .time {
    grid-area: time; color: var(--ff-text-3); font-size: var(--ff-size-sm); white-space: nowrap; text-align: end;
  }
  .meta {
    grid-area: meta; display: flex; align-items: center; gap: var(--ff-space-2); min-width: 0; min-height: 24px;
    color: var(--ff-text-2); font-size: var(--ff-size-meta);
  }
  .resource { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .state { display: inline-flex; align-items: center; gap: 4px; color: var(--ff-text-3); white-space: nowrap; }
  .reason, .actions, ff-severity { position: relative; z-index: 1; }
  .end { grid-area: end; display: flex; align-items: center; gap: var(--ff-space-2); }
  .actions { display: flex; align-items: center; }
  @container (max-width: 460px) {
    .row {
      grid-template:
        'start avatar title time' auto 'start avatar meta meta' auto 'start avatar end end' auto
        / auto auto minmax(0, 1fr) auto;
      row-gap: 2px;
    }
    .title {
      display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal;
      overflow-wrap: anywhere;
    }
    .time { align-self: start; }
    .end { justify-content: space-between; }
  }
`
