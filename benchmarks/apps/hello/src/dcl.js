addEventListener('DOMContentLoaded', () => console.log('DCL ' + Date.now()))
