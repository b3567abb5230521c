import vue from '@vitejs/plugin-vue';
import {defineConfig} from 'vite';

export default defineConfig({
  plugins: [vue()],
  preview: {port: 5173},  // as in development: one --allow-origin for both
});
