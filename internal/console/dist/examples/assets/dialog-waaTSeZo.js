import{d as e,f as t,h as n,l as r,o as i,p as a,s as o,u as s,x as c,y as l}from"./icon-button-D4gStW3v.js";import{t as u}from"./x-B0bUUmIE.js";var d=class extends o{constructor(...e){super(...e),this.open=!1,this.heading=``,this.closeLabel=`Close`}static{this.styles=e(t,c`
    dialog {
      width: min(var(--ff-dialog-width, 480px), calc(100vw - 32px)); max-height: min(85dvh, 800px); margin: auto;
      padding: 0; border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); overflow: hidden;
      background: var(--ff-raised); color: inherit; box-shadow: var(--ff-shadow);
    }
    dialog[open] { display: flex; flex-direction: column; animation: in var(--ff-motion) var(--ff-ease); }
    dialog::backdrop { background: var(--ff-backdrop); }
    @keyframes in { from { opacity: 0; translate: 0 4px; } }
    header {
      display: flex; align-items: center; gap: var(--ff-space-2);
      padding: var(--ff-space-4) var(--ff-space-4) 0 var(--ff-space-6);
    }
    h2:focus { outline: none; }
    h2 {
      flex: 1; min-width: 0; font-size: var(--ff-size-lg); line-height: 24px; font-weight: var(--ff-weight-bold);
      overflow-wrap: anywhere;
    }
    .body { padding: var(--ff-space-3) var(--ff-space-6) var(--ff-space-6); overflow: auto; }
    footer {
      display: flex; flex-wrap: wrap; justify-content: flex-end; gap: var(--ff-space-2);
      padding: var(--ff-space-3) var(--ff-space-6); border-block-start: 1px solid var(--ff-border);
    }
    footer.empty { display: none; }
    @media (max-width: 600px) {
      header { padding-inline-start: var(--ff-space-4); }
      .body, footer { padding-inline: var(--ff-space-4); }
    }
  `)}render(){return l`<dialog part="dialog" aria-labelledby="heading" @close=${this.#t} @pointerdown=${this.#n}>
      <header part="header"><h2 id="heading" tabindex="-1">${this.heading}</h2>
        <ff-icon-button .icon=${u} label=${this.closeLabel} @click=${()=>this.dialog.close()}></ff-icon-button>
      </header>
      <div class="body" part="body"><slot></slot></div>
      <footer part="footer" class="empty"><slot name="footer" @slotchange=${this.#e}></slot></footer>
    </dialog>`}updated(e){e.has(`open`)&&(this.open&&!this.dialog.open?(this.dialog.showModal(),this.querySelector(`[autofocus]`)||this.renderRoot.querySelector(`h2`)?.focus()):!this.open&&this.dialog.open&&this.dialog.close())}#e(e){let t=e.target;t.parentElement?.classList.toggle(`empty`,t.assignedElements().length===0)}#t(){this.shadowRoot?.activeElement instanceof HTMLElement&&this.shadowRoot.activeElement.blur(),this.open&&(this.open=!1,s(this,`close`))}#n(e){if(e.target!==this.dialog)return;let t=this.dialog.getBoundingClientRect();e.clientX>=t.left&&e.clientX<=t.right&&e.clientY>=t.top&&e.clientY<=t.bottom||this.dialog.close()}};i([n({type:Boolean,reflect:!0})],d.prototype,`open`,void 0),i([n()],d.prototype,`heading`,void 0),i([n({attribute:`close-label`})],d.prototype,`closeLabel`,void 0),i([a(`dialog`)],d.prototype,`dialog`,void 0),d=i([r(`ff-dialog`)],d);export{d as Dialog};