import { css } from 'lit'

export const shellStyles = css`
  :host { display: block; height: 100%; }
  .shell {
    display: grid; grid-template-columns: auto minmax(0, 1fr); grid-template-rows: minmax(0, 1fr); height: 100dvh;
  }
  .skip {
    position: fixed; inset: 8px auto auto 8px; z-index: 50; padding: 8px 12px; border-radius: var(--ff-radius);
    background: var(--ff-accent); color: var(--ff-on-accent); translate: 0 -64px;
  }
  .skip:focus { translate: 0 0; }
  main { display: flex; flex-direction: column; min-width: 0; min-height: 0; background: var(--ff-surface); }
  .outlet { flex: 1; min-height: 0; }

  .rail {
    display: flex; flex-direction: column; gap: 2px; width: 216px; padding: var(--ff-space-3) var(--ff-space-2);
    border-inline-end: 1px solid var(--ff-border); background: var(--ff-bg); overflow-y: auto; scrollbar-width: none;
  }
  .brand {
    display: flex; align-items: center; gap: var(--ff-space-2); min-height: 32px; padding: 0 var(--ff-space-2);
    margin-block-end: var(--ff-space-3);
  }
  .brand b { flex: 1; font-weight: var(--ff-weight-bold); letter-spacing: -0.01em; font-size: 15px; }
  .nav { display: flex; flex-direction: column; gap: 2px; }
  .nav a {
    display: flex; align-items: center; gap: 10px; min-height: 32px; padding: 0 var(--ff-space-2);
    border-radius: var(--ff-radius); color: var(--ff-text-2); text-decoration: none;
    font-weight: var(--ff-weight-medium); font-size: var(--ff-size-meta);
    transition: background var(--ff-motion);
  }
  .nav a:hover { background: var(--ff-hover); color: var(--ff-text); }
  .nav a[aria-current] { background: var(--ff-active); color: var(--ff-text); }
  .nav a[aria-current] svg { color: var(--ff-accent); }
  .nav a span { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .group {
    padding: var(--ff-space-4) var(--ff-space-2) var(--ff-space-1); font-size: var(--ff-size-xs); line-height: 16px;
    color: var(--ff-text-3); font-weight: var(--ff-weight-medium);
  }
  .foot {
    display: flex; flex-direction: column; gap: var(--ff-space-1); margin-block-start: auto;
    padding-block-start: var(--ff-space-3);
  }
  .connection {
    display: flex; align-items: center; gap: 8px; min-height: 28px; padding: 0 var(--ff-space-2);
    font-size: var(--ff-size-sm); color: var(--ff-text-3);
  }
  .dot { flex: none; width: 8px; height: 8px; margin: 0 4px; border-radius: 50%; background: var(--ff-text-3); }
  .dot.live { background: var(--ff-success); }
  .dot.waiting { background: none; border: 2px solid var(--ff-warning); }
  .me {
    display: flex; align-items: center; gap: var(--ff-space-2); width: 100%; min-height: 40px;
    padding: 0 var(--ff-space-2); border-radius: var(--ff-radius);
  }
  .me:hover, .me[aria-expanded='true'] { background: var(--ff-hover); }
  .me .name {
    flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    font-size: var(--ff-size-meta); font-weight: var(--ff-weight-medium);
  }
  .me svg { color: var(--ff-text-3); }
  ff-menu { display: flex; }

  .narrow .rail { width: 56px; align-items: center; padding-inline: var(--ff-space-1); }
  .narrow .nav, .narrow .foot { align-items: center; width: 100%; }
  .narrow .nav a { position: relative; width: 40px; min-height: 40px; padding: 0; justify-content: center; }
  .narrow .nav a ff-badge { position: absolute; inset: 0 -2px auto auto; scale: 0.85; }
  .narrow .nav a > span, .narrow .group, .narrow .brand b,
  .narrow .me .name, .narrow .me svg, .narrow .connection .text {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  .narrow .group + .nav {
    border-block-start: 1px solid var(--ff-border); padding-block-start: var(--ff-space-2);
    margin-block-start: var(--ff-space-2);
  }
  .narrow .brand { flex-direction: column; padding: 0; }
  .narrow .me, .narrow .connection { justify-content: center; padding: 0; }

  .bar { display: none; }
  @media (max-width: 640px) {
    :host { --ff-covered: calc(57px + env(safe-area-inset-bottom)); }
    .shell { grid-template-columns: minmax(0, 1fr); grid-template-rows: minmax(0, 1fr) auto; }
    .rail { display: none; }
    .bar {
      display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; border-block-start: 1px solid var(--ff-border);
      background: var(--ff-bg); padding-block-end: env(safe-area-inset-bottom);
    }
    .bar a, .bar button {
      position: relative; display: flex; flex-direction: column; align-items: center; justify-content: center;
      gap: 2px; width: 100%;
      min-height: 56px; font-size: var(--ff-size-xs); line-height: 14px; color: var(--ff-text-2);
      text-decoration: none; font-weight: var(--ff-weight-medium); border-radius: var(--ff-radius);
    }
    .bar a:focus-visible, .bar button:focus-visible { outline-offset: -4px; }
    .bar [aria-current] { color: var(--ff-accent); }
    .bar ff-badge { position: absolute; inset: 4px auto auto calc(50% + 4px); scale: 0.85; }
  }
`
