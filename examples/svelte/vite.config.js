import {svelte} from '@sveltejs/vite-plugin-svelte';
import {defineConfig} from 'vite';

export default defineConfig({
  plugins: [svelte()],
  preview: {port: 5173},  // as in development: one --allow-origin for both
});
