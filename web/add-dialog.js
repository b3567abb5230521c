// Asks for a camera and adds it. Stays open, with the reason, when the server will not have it.
import {addCamera} from './api.js';
import {reason} from './refusal.js';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export class AddDialog {
  #dialog = document.getElementById('add');
  #isTaken;
  #onAdded;
  #attempt = null;  // AbortController of the one underway

  /** `isTaken(name)`: there is such a camera, which the server would replace; `onAdded(name)`. */
  constructor({isTaken, onAdded}) {
    this.#isTaken = isTaken;
    this.#onAdded = onAdded;
    this.#dialog.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#dialog.querySelector('.cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#attempt?.abort());
  }

  open() {
    for (const field of ['name', 'source']) {
      this.#input(field).value = '';
      this.#complain(field, '');
    }
    this.#dialog.showModal();
    this.#input('name').focus();
  }

  async #submit() {
    if (this.#attempt || !this.#check()) return;
    const [name, source] = [this.#text('name'), this.#text('source')];
    const attempt = this.#attempt = new AbortController();
    this.#showBusy(true);
    try {
      await addCamera(name, source, attempt.signal);
      this.#dialog.close();
      this.#onAdded(name);
    } catch (error) {
      if (attempt.signal.aborted) return;  // it was closed
      this.#complain('source', `Not added: ${reason(error)}`);
      this.#input('source').focus();
    } finally {
      this.#attempt = null;
      this.#showBusy(false);
    }
  }

  #check() {
    const name = this.#text('name');
    let problem = '';
    if (!NAME.test(name)) problem = 'One to 64 letters, digits, - and _, please.';
    else if (this.#isTaken(name)) problem = `There is a camera ${name} already.`;
    this.#complain('name', problem);
    this.#complain('source', this.#text('source') ? '' : 'A number or a URL, please.');
    const wrong = ['name', 'source'].find((field) => this.#input(field).hasAttribute('aria-invalid'));
    if (wrong) this.#input(wrong).focus();
    return !wrong;
  }

  #complain(field, problem) {
    document.getElementById(`add-${field}-error`).textContent = problem;
    if (problem) this.#input(field).setAttribute('aria-invalid', 'true');
    else this.#input(field).removeAttribute('aria-invalid');
  }

  // The button keeps the focus, so it is not disabled but deaf.
  #showBusy(busy) {
    const button = this.#dialog.querySelector('[type=submit]');
    button.textContent = busy ? 'Adding…' : 'Add camera';
    if (busy) button.setAttribute('aria-busy', 'true');
    else button.removeAttribute('aria-busy');
    document.getElementById('add-busy').textContent = busy ? 'Starting the camera. This may take ten seconds.' : '';
    for (const field of ['name', 'source']) this.#input(field).readOnly = busy;
  }

  #input(field) {
    return document.getElementById(`add-${field}`);
  }

  #text(field) {
    return this.#input(field).value.trim();
  }
}
