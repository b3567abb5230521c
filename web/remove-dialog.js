// Asks whether a camera is really to go, by its name.
import {removeCamera} from './api.js';
import {reason} from './refusal.js';

export class RemoveDialog {
  #dialog = document.getElementById('remove-dialog');
  #button = this.#dialog.querySelector('.confirm');
  #problem = document.getElementById('remove-error');
  #onRemoved;
  #name = '';
  #busy = false;

  /** `onRemoved(name)` is called when the server has done it. */
  constructor({onRemoved}) {
    this.#onRemoved = onRemoved;
    this.#button.addEventListener('click', () => this.#remove());
    this.#dialog.querySelector('.cancel').addEventListener('click', () => this.#dialog.close());
  }

  open(name) {
    this.#name = name;
    document.getElementById('remove-title').textContent = `Remove camera ${name}?`;
    this.#button.textContent = `Remove ${name}`;
    this.#problem.textContent = '';
    this.#dialog.showModal();
    this.#dialog.querySelector('.cancel').focus();  // an Enter too many must not remove anything
  }

  async #remove() {
    if (this.#busy) return;
    const name = this.#name;
    this.#setBusy(true);
    try {
      await removeCamera(name);
      if (this.#name === name) this.#dialog.close();
      this.#onRemoved(name);
    } catch (error) {
      this.#problem.textContent = `Not removed: ${reason(error)}`;
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(busy) {
    this.#busy = busy;
    if (busy) this.#button.setAttribute('aria-busy', 'true');
    else this.#button.removeAttribute('aria-busy');
  }
}
